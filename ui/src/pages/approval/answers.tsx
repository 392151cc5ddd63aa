import { SimpleGrid, Stack, Text } from "@mantine/core";
import { count } from "@/lib/numbers";

interface Props {
  answers: Record<string, string | number>;
  questions: Record<string, { label: string }>;
}

/** What somebody has answered, as text whatever they wrote. */
export function Answers({ answers, questions }: Props) {
  return (
    <SimpleGrid component="dl" cols={{ base: 1, sm: 2 }} my={0} spacing="md">
      {Object.entries(questions).map(([name, { label }]) => (
        <Stack key={name} gap={0}>
          <Text component="dt" size="xs" c="dimmed">
            {label}
          </Text>
          <Text component="dd" size="sm" m={0} style={{ overflowWrap: "anywhere", whiteSpace: "pre-wrap" }}>
            {words(answers[name])}
          </Text>
        </Stack>
      ))}
    </SimpleGrid>
  );
}

function words(answer: string | number | undefined): string {
  if (answer === undefined || answer === "") return "–";
  return typeof answer === "number" ? count(answer) : answer;
}
