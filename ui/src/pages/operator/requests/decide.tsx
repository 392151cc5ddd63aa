import { Button, Group, Modal, NumberInput, Stack, Text, Textarea } from "@mantine/core";
import { useState } from "react";
import { console, data } from "@/api/client";
import { Form, useApiForm } from "@/components/form";
import { notifyDone } from "@/components/notify";
import { PageButton } from "@/components/page-button";
import { Answers } from "@/pages/approval/answers";
import { QUESTIONS, QUOTA_QUESTIONS } from "@/pages/approval/questions";
import { type Asked, wish } from ".";

interface Props {
  request: Asked;
  close: () => void;
}

export function Decide({ request, close }: { request: Asked | null; close: () => void }) {
  return (
    <Modal
      opened={request !== null}
      onClose={close}
      size="lg"
      title={request && `${request.account}: ${wish(request)}`}
    >
      {request && <Content request={request} close={close} />}
    </Modal>
  );
}

function Content({ request, close }: Props) {
  const [answer, setAnswer] = useState<"approve" | "refuse" | null>(null);
  const questions = request.kind === "quota" ? QUOTA_QUESTIONS : QUESTIONS;
  return (
    <Stack>
      <Answers answers={request.answers} questions={questions} />
      {request.reason && (
        <Text size="sm" style={{ overflowWrap: "anywhere" }}>
          Answered: {request.reason}
        </Text>
      )}
      {request.state !== "submitted" && (
        <Group justify="flex-end">
          <PageButton to={`/operator/accounts/${request.account_id}`}>The account</PageButton>
        </Group>
      )}
      {request.state === "submitted" && answer === null && (
        <Group justify="flex-end">
          <PageButton to={`/operator/accounts/${request.account_id}`}>The account</PageButton>
          <Button variant="default" onClick={() => setAnswer("refuse")}>
            Refuse ...
          </Button>
          <Button onClick={() => setAnswer("approve")}>Approve ...</Button>
        </Group>
      )}
      {answer === "approve" && <Approve request={request} close={close} />}
      {answer === "refuse" && <Refuse request={request} close={close} />}
    </Stack>
  );
}

const REFRESHED = [["requests"], ["accounts"], ["home"], ["approval"], ["quota"]];

function Approve({ request, close }: Props) {
  const quota = request.kind === "quota";
  const form = useApiForm({
    initialValues: { reason: "", daily_quota: quota ? Number(request.answers.daily_quota) : null },
    send: (values) =>
      data(
        console.POST("/operator/requests/{request_id}/approve", {
          params: { path: { request_id: request.id } },
          body: values,
        }),
      ),
    refresh: REFRESHED,
    done: () => {
      notifyDone(`Approved. ${request.account} is told by mail.`);
      close();
    },
  });
  return (
    <Form form={form} submit="Approve" cancel={close}>
      {quota && (
        <NumberInput
          label="Emails a day"
          description="What was asked for, or what you give instead; 0 is no limit."
          min={0}
          allowDecimal={false}
          thousandSeparator=","
          {...form.getInputProps("daily_quota")}
        />
      )}
      <Textarea
        label="A word with it"
        description="It is in the mail to the Admins of the account."
        data-autofocus
        {...form.getInputProps("reason")}
      />
    </Form>
  );
}

function Refuse({ request, close }: Props) {
  const form = useApiForm({
    initialValues: { reason: "" },
    send: (values) =>
      data(
        console.POST("/operator/requests/{request_id}/refuse", {
          params: { path: { request_id: request.id } },
          body: values,
        }),
      ),
    refresh: REFRESHED,
    done: () => {
      notifyDone(`Refused. ${request.account} is told why by mail.`);
      close();
    },
  });
  return (
    <Form form={form} submit="Refuse" danger cancel={close}>
      <Textarea
        label="Why"
        description="The Admins of the account read it. They may ask again."
        required
        autosize
        minRows={2}
        data-autofocus
        {...form.getInputProps("reason")}
      />
    </Form>
  );
}
