import { Alert, Stack, Text } from "@mantine/core";
import { Section } from "@/components/section";
import { Time } from "@/components/time";
import { Answers } from "./answers";
import type { Approval } from "./approval";
import { Questions } from "./questionnaire";
import { QUESTIONS } from "./questions";

/** What there is to do: to ask, to wait, or nothing any more. */
export function Standing({ approval }: { approval: Approval }) {
  const { state, reason, questionnaire } = approval;
  if (state === "approved") {
    return (
      <Section title="This account is approved" about="It may send to everybody, from its verified domains.">
        {reason && <Said words={reason} />}
      </Section>
    );
  }
  if (state === "submitted") {
    return (
      <Section
        title="The operator has your request"
        about={
          approval.submitted_at && (
            <>
              Asked <Time at={approval.submitted_at} />. You are told by mail when it is decided.
            </>
          )
        }
      >
        {questionnaire && <Answers answers={questionnaire} questions={QUESTIONS} />}
      </Section>
    );
  }
  return (
    <Section
      title={state === "refused" ? "Ask again" : "Ask to be approved"}
      about="The operator of this installation reads it and decides."
    >
      <Stack>
        {state === "refused" && (
          <Alert color="red" variant="light" title="The operator has refused">
            {reason || "Without a reason."}
          </Alert>
        )}
        <Questions before={questionnaire} />
      </Stack>
    </Section>
  );
}

function Said({ words }: { words: string }) {
  return (
    <Text size="sm" style={{ overflowWrap: "anywhere" }}>
      The operator wrote: {words}
    </Text>
  );
}
