/** One domain; the tab is in the address. */
import { Skeleton, Stack, Tabs } from "@mantine/core";
import { IconChartBar, IconKey, IconMailForward, IconSettings, IconWorldCheck } from "@tabler/icons-react";
import { type ComponentType, useEffect, useRef } from "react";
import { useParams, useSearchParams } from "react-router";
import { Page } from "@/components/page";
import { Problem } from "@/components/problem";
import { type Permission, useSession } from "@/session/session";
import { Dns } from "./dns";
import { type Domain, useDomain } from "./domain";
import classes from "./domain-page.module.css";
import { Notices } from "./notices";
import { Settings } from "./settings";
import { Smtp } from "./smtp";
import { States } from "./states";
import { Statistics } from "./statistics";
import { Tokens } from "./tokens";

interface Tab {
  key: string;
  label: string;
  icon: ComponentType<{ size?: number | string }>;
  needs?: Permission[];
  show: ComponentType<{ domain: Domain }>;
}

const TABS: Tab[] = [
  { key: "dns", label: "DNS records", icon: IconWorldCheck, show: Dns },
  {
    key: "smtp",
    label: "SMTP",
    icon: IconMailForward,
    needs: ["view-smtp-users", "manage-smtp-users"],
    show: Smtp,
  },
  { key: "tokens", label: "API tokens", icon: IconKey, needs: ["manage-api-token"], show: Tokens },
  {
    key: "statistics",
    label: "Statistics",
    icon: IconChartBar,
    needs: ["read-analytics"],
    show: Statistics,
  },
  {
    key: "settings",
    label: "Settings",
    icon: IconSettings,
    needs: ["manage-domain", "control-sendings", "control-tracking-options"],
    show: Settings,
  },
];

const BACK = { to: "/domains", label: "Domains" };

export default function DomainPage() {
  const { domainId = "" } = useParams();
  const domain = useDomain(domainId);
  if (!domain.data) {
    return (
      <Page title="Domain" back={BACK}>
        {domain.error ? (
          <Problem error={domain.error} retry={() => domain.refetch()} />
        ) : (
          <Stack gap="lg" aria-busy="true">
            <Skeleton h={36} maw={480} />
            <Skeleton h={320} radius="lg" />
          </Stack>
        )}
      </Page>
    );
  }
  return (
    <Page title={domain.data.name} badge={<States domain={domain.data} />} back={BACK}>
      <Notices domain={domain.data} />
      <Sections domain={domain.data} />
    </Page>
  );
}

/** What somebody probably comes for. */
function first(domain: Domain): string {
  return domain.is_verified && !domain.failing_since ? "smtp" : "dns";
}

function Sections({ domain }: { domain: Domain }) {
  const { permissions } = useSession();
  const [parameters, setParameters] = useSearchParams();
  const tabs = TABS.filter((tab) => !tab.needs || tab.needs.some((one) => permissions.includes(one)));
  const wanted = parameters.get("tab");
  const tab =
    tabs.find(({ key }) => key === wanted) ?? tabs.find(({ key }) => key === first(domain)) ?? tabs[0];
  const list = useRef<HTMLDivElement>(null);
  // On a phone the tabs are wider than the window.
  // biome-ignore lint/correctness/useExhaustiveDependencies: another tab was chosen
  useEffect(() => {
    const chosen = list.current?.querySelector("[aria-selected=true]");
    chosen?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }, [tab?.key]);
  return (
    <Tabs
      value={tab?.key}
      onChange={(key) => setParameters({ tab: key ?? "dns" }, { replace: true })}
      keepMounted={false}
    >
      <Tabs.List ref={list} className={classes.list} aria-label={`Parts of ${domain.name}`}>
        {tabs.map(({ key, label, icon: Icon }) => (
          <Tabs.Tab key={key} value={key} leftSection={<Icon size={16} />}>
            {label}
          </Tabs.Tab>
        ))}
      </Tabs.List>
      {tabs.map(({ key, show: Show }) => (
        <Tabs.Panel key={key} value={key} pt="lg">
          <Show domain={domain} />
        </Tabs.Panel>
      ))}
    </Tabs>
  );
}
