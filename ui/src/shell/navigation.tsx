import { NavLink } from "@mantine/core";
import { Link, useLocation } from "react-router";
import { isAt, PAGES, type PageEntry, visible } from "@/pages";
import { useSession } from "@/session/session";
import classes from "./shell.module.css";

const GROUPS = [undefined, "Email", "Integrations", "Settings", "Operator"] as const;

/** Only what the person may see. A heading without pages is left out. */
export function Navigation() {
  const session = useSession();
  const entries = PAGES.filter((entry) => entry.label && visible(entry, session));
  return GROUPS.map((group) => {
    const members = entries.filter((entry) => entry.group === group);
    if (members.length === 0) return null;
    const id = `navigation-${group ?? "first"}`;
    return (
      <div key={id}>
        {group && (
          <div id={id} className={classes.group}>
            {group}
          </div>
        )}
        <ul className={classes.list} aria-labelledby={group && id}>
          {members.map((entry) => (
            <li key={entry.path}>
              <Entry entry={entry} />
            </li>
          ))}
        </ul>
      </div>
    );
  });
}

function Entry({ entry }: { entry: PageEntry }) {
  const { pathname } = useLocation();
  const active = isAt(entry, pathname);
  const Icon = entry.icon;
  return (
    <NavLink
      component={Link}
      to={entry.path}
      label={entry.label}
      leftSection={Icon && <Icon size={18} stroke={1.7} />}
      active={active}
      aria-current={active ? "page" : undefined}
      className={classes.link}
    />
  );
}
