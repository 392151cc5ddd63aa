import { Alert, Button, Modal, NumberInput, Progress, Stack, Text, Textarea } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { console, data } from "@/api/client";
import { Form, useApiForm } from "@/components/form";
import { notifyDone } from "@/components/notify";
import { Section } from "@/components/section";
import { Time } from "@/components/time";
import { count } from "@/lib/numbers";
import type { Quota } from "./approval";

const NEAR = 0.8;

export function QuotaSection({ quota }: { quota: Quota }) {
  const [asking, ask] = useDisclosure();
  const { daily_quota: limit, request } = quota;
  const waits = request?.state === "submitted";
  return (
    <Section
      title="Emails a day"
      about={quota.plan && `Plan: ${quota.plan}`}
      actions={
        limit !== null &&
        !waits && (
          <Button variant="default" onClick={ask.open}>
            Ask for more
          </Button>
        )
      }
    >
      <Stack gap="sm">
        <Used quota={quota} />
        {request && <Asked request={request} />}
      </Stack>
      {limit !== null && (
        <Modal opened={asking} onClose={ask.close} title="Ask for a larger quota">
          <Ask limit={limit} close={ask.close} />
        </Modal>
      )}
    </Section>
  );
}

function Used({ quota }: { quota: Quota }) {
  const { daily_quota: limit, used_today: used, held_for_tomorrow: held } = quota;
  if (limit === null) return <Text size="sm">{count(used)} today; there is no limit.</Text>;
  return (
    <>
      <Text size="sm">
        {count(used)} of {count(limit)} today
      </Text>
      <Progress
        value={limit ? Math.min(100, (100 * used) / limit) : 100}
        color={used >= limit ? "red" : used >= limit * NEAR ? "yellow" : "postroom"}
        aria-label="Quota used"
      />
      <Text size="sm" c="dimmed">
        Counted anew <Time at={quota.reset_at} />. What comes beyond it{" "}
        {quota.over_quota === "hold" ? "waits for the next day" : "is refused"}.
        {held > 0 && ` ${count(held)} wait for tomorrow.`}
      </Text>
    </>
  );
}

const STATES = {
  submitted: { color: "yellow", title: "Waits for the operator" },
  approved: { color: "postroom", title: "Your last request was approved" },
  refused: { color: "red", title: "Your last request was refused" },
} as const;

function Asked({ request }: { request: NonNullable<Quota["request"]> }) {
  const { color, title } = STATES[request.state];
  return (
    <Alert color={color} variant="light" title={title} style={{ overflowWrap: "anywhere" }}>
      You asked for {count(request.daily_quota)} a day, <Time at={request.submitted_at} />.
      {request.answer && ` The operator wrote: ${request.answer}`}
    </Alert>
  );
}

function Ask({ limit, close }: { limit: number; close: () => void }) {
  const form = useApiForm({
    initialValues: { daily_quota: limit * 2, reason: "" },
    send: (values) => data(console.POST("/quota/requests", { body: values })),
    refresh: [["quota"]],
    done: () => {
      notifyDone("Your request is with the operator.");
      close();
    },
  });
  return (
    <Form form={form} submit="Ask for it" cancel={close}>
      <NumberInput
        label="Emails a day"
        description={`Now ${count(limit)}.`}
        min={limit + 1}
        clampBehavior="none"
        allowDecimal={false}
        thousandSeparator=","
        required
        data-autofocus
        {...form.getInputProps("daily_quota")}
      />
      <Textarea label="What for?" autosize minRows={3} required {...form.getInputProps("reason")} />
    </Form>
  );
}
