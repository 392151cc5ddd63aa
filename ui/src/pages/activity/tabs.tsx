/** What was accepted, and what was refused: two pages, each with an address of its own. */
import { Tabs } from "@mantine/core";
import { useNavigate } from "react-router";
import { useMay } from "@/session/session";

export function ActivityTabs({ here }: { here: "/activity" | "/refused" }) {
  const navigate = useNavigate();
  const emails = useMay("read-email");
  const refused = useMay("read-error-log");
  if (!emails || !refused) return null;
  return (
    <Tabs value={here} onChange={(path) => path && navigate(path)} activateTabWithKeyboard={false}>
      <Tabs.List aria-label="Activity">
        <Tabs.Tab value="/activity">Emails</Tabs.Tab>
        <Tabs.Tab value="/refused">Refused</Tabs.Tab>
      </Tabs.List>
    </Tabs>
  );
}
