/** Jump to a page: `/` or Ctrl+K anywhere. */
import { ActionIcon, Button, Kbd } from "@mantine/core";
import { Spotlight, type SpotlightActionData, spotlight } from "@mantine/spotlight";
import { IconSearch } from "@tabler/icons-react";
import { useNavigate } from "react-router";
import { PAGES, visible } from "@/pages";
import { useSession } from "@/session/session";
import classes from "./shell.module.css";

export function SearchButton() {
  return (
    <>
      <Button
        visibleFrom="sm"
        variant="default"
        className={classes.search}
        c="dimmed"
        classNames={{ label: classes.searchLabel }}
        leftSection={<IconSearch size={16} />}
        rightSection={<Kbd size="xs">/</Kbd>}
        onClick={spotlight.open}
        fw={400}
      >
        Jump to a page
      </Button>
      <ActionIcon
        hiddenFrom="sm"
        variant="subtle"
        color="gray"
        size={36}
        onClick={spotlight.open}
        aria-label="Jump to a page"
      >
        <IconSearch size={18} />
      </ActionIcon>
    </>
  );
}

export function Search() {
  const session = useSession();
  const navigate = useNavigate();
  const actions: SpotlightActionData[] = PAGES.filter((entry) => entry.label && visible(entry, session)).map(
    ({ path, label, group, icon: Icon, words }) => ({
      id: path,
      label,
      description: group,
      keywords: words,
      leftSection: Icon && <Icon size={20} stroke={1.6} />,
      onClick: () => navigate(path),
    }),
  );
  return (
    <Spotlight
      actions={actions}
      shortcut={["/", "mod + K"]}
      nothingFound="No page has such a name"
      highlightQuery
      // Paler text is hard to read on the colour of the chosen one.
      styles={{ actionDescription: { opacity: 1 } }}
      attributes={{ content: { "aria-label": "Jump to a page" } }}
      searchProps={{
        placeholder: "Jump to a page",
        "aria-label": "Jump to a page",
        leftSection: <IconSearch size={18} />,
      }}
    />
  );
}
