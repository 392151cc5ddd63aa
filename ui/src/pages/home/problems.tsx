/** What needs a hand, the worst first, each with the way to mend it. */
import { Button, Group, Paper, Stack, Text, ThemeIcon } from "@mantine/core";
import { IconAlertTriangle, IconCircleCheck, IconInfoCircle } from "@tabler/icons-react";
import { Link } from "react-router";
import { useReachable } from "@/session/reachable";
import type { Home } from "./home";
import classes from "./problems.module.css";

type Problem = Home["problems"][number];

const LEVELS = {
  error: { color: "red", icon: IconAlertTriangle, word: "Error" },
  warning: { color: "yellow", icon: IconAlertTriangle, word: "Warning" },
  info: { color: "blue", icon: IconInfoCircle, word: "To do" },
} as const;

const ADDRESSES: Record<Problem["page"], (id: string) => string> = {
  approval: () => "/approval",
  domain: (id) => `/domains/${id}`,
  domains: () => "/domains",
  quota: () => "/approval",
  activity: (id) => (id ? `/activity/${id}` : "/activity"),
  refused: () => "/refused",
  installation: () => "/installation",
};

export function Problems({ problems }: { problems: Problem[] }) {
  if (problems.length === 0) {
    return (
      <Group gap="xs" c="dimmed">
        <IconCircleCheck size={18} />
        <Text size="sm">Nothing needs a hand.</Text>
      </Group>
    );
  }
  return (
    <Paper component="section" aria-label="What needs a hand">
      <ul className={classes.list}>
        {problems.map((problem) => (
          <Item key={`${problem.id} ${problem.object_id}`} problem={problem} />
        ))}
      </ul>
    </Paper>
  );
}

function Item({ problem }: { problem: Problem }) {
  const { color, icon: Icon, word } = LEVELS[problem.level];
  const address = useAddress(problem);
  return (
    <li className={classes.item}>
      <Group wrap="nowrap" align="flex-start" flex="1 1 16rem" gap="sm">
        <ThemeIcon variant="light" color={color} size={30} radius="xl" role="img" aria-label={word}>
          <Icon size={17} />
        </ThemeIcon>
        <Stack gap={0}>
          <Text size="sm" fw={550}>
            {problem.what}
          </Text>
          <Text size="sm" c="dimmed">
            {problem.fix}
          </Text>
        </Stack>
      </Group>
      {address && (
        <Button
          component={Link}
          to={address}
          variant="default"
          size="xs"
          aria-label={`Mend it: ${problem.what}`}
        >
          Mend it
        </Button>
      )}
    </li>
  );
}

/** Null where there is no such page for this person. */
function useAddress(problem: Problem): string | null {
  const reachable = useReachable();
  const address = ADDRESSES[problem.page](problem.object_id);
  return reachable(address) ? address : null;
}
