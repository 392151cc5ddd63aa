import { Group } from "@mantine/core";
import { State } from "@/components/state";
import { type Domain, states } from "./domain";

export function States({ domain }: { domain: Domain }) {
  return (
    <Group gap={6} wrap="nowrap">
      {states(domain).map(({ kind, word }) => (
        <State key={word} kind={kind}>
          {word}
        </State>
      ))}
    </Group>
  );
}
