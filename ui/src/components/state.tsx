/** A chip that says a state, in a word and a colour. */
import { Badge, type MantineColor } from "@mantine/core";
import type { ReactNode } from "react";

const COLORS: Record<Kind, MantineColor> = {
  good: "postroom",
  waiting: "yellow",
  bad: "red",
  quiet: "gray",
};

export type Kind = "good" | "waiting" | "bad" | "quiet";

export function State({ kind, children }: { kind: Kind; children: ReactNode }) {
  return (
    <Badge variant="light" color={COLORS[kind]} size="md" radius="sm" tt="none" fw={600} miw="max-content">
      {children}
    </Badge>
  );
}
