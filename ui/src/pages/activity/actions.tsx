/** What can be done to an email that was accepted. */
import { Button, Menu, Modal, TextInput } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconBan, IconChevronDown, IconDownload, IconPlayerPlay, IconSend } from "@tabler/icons-react";
import { useNavigate } from "react-router";
import { body, v1 } from "@/api/client";
import { useChange } from "@/api/queries";
import { confirm } from "@/components/confirm";
import { Form, useApiForm } from "@/components/form";
import { notifyDone } from "@/components/notify";
import type { components } from "@/generated/v1";
import { useMay } from "@/session/session";
import type { Timeline } from "./steps";

interface Props {
  email: components["schemas"]["ShownEmail"];
  timeline: Timeline;
  /** Its content is, so it can be sent again. */
  kept: boolean;
}

export function Actions({ email, timeline, kept }: Props) {
  const may = useMay("control-sendings");
  const [resending, resend] = useDisclosure();
  const waits = timeline.waiting !== null;
  const path = { params: { path: { email_id: email.id } } };
  const refresh = [["emails"]];
  const retry = useChange(() => body(v1.POST("/email/{email_id}/retry", path)), {
    refresh,
    done: () => notifyDone("It is tried now."),
  });
  const cancel = useChange(() => body(v1.POST("/email/{email_id}/cancel", path)), {
    refresh,
    done: () => notifyDone("It is cancelled."),
  });
  const ask = () =>
    confirm({
      title: "Cancel this email?",
      children: `${timeline.recipient} will not get it. Copies of other recipients go on.`,
      confirm: "Cancel the email",
      onConfirm: () => cancel.mutate(undefined),
    });
  return (
    <>
      {(kept || (may && waits)) && (
        <Menu position="bottom-end">
          <Menu.Target>
            <Button variant="default" rightSection={<IconChevronDown size={15} />}>
              More
            </Button>
          </Menu.Target>
          <Menu.Dropdown>
            {kept && (
              <Menu.Item
                component="a"
                href={`/v1/email/${email.id}/source`}
                download
                leftSection={<IconDownload size={16} />}
              >
                Download the source
              </Menu.Item>
            )}
            {may && waits && (
              <Menu.Item color="red" leftSection={<IconBan size={16} />} onClick={ask}>
                Cancel the email
              </Menu.Item>
            )}
          </Menu.Dropdown>
        </Menu>
      )}
      {may && kept && (
        <Button
          variant={waits ? "default" : "filled"}
          leftSection={<IconSend size={16} />}
          onClick={resend.open}
        >
          Send again
        </Button>
      )}
      {may && waits && (
        <Button
          leftSection={<IconPlayerPlay size={16} />}
          onClick={() => retry.mutate(undefined)}
          loading={retry.isPending}
        >
          Retry now
        </Button>
      )}
      <Modal opened={resending} onClose={resend.close} title="Send again">
        <Resend emailId={email.id} recipient={timeline.recipient} close={resend.close} />
      </Modal>
    </>
  );
}

function Resend({ emailId, recipient, close }: { emailId: string; recipient: string; close: () => void }) {
  const navigate = useNavigate();
  const form = useApiForm({
    initialValues: { email: recipient },
    send: async (values) => {
      const params = { path: { email_id: emailId } };
      const { response } = await v1.POST("/email/{email_id}/resend", { params, body: values });
      return response.headers.get("x-message-id");
    },
    refresh: [["emails"]],
    done: (messageId, { email }) => {
      close();
      if (messageId === null) return notifyDone(`Nothing was sent: ${email} is suppressed.`);
      notifyDone(`It is on its way to ${email}.`);
      navigate(`/activity?message=${messageId}`);
    },
  });
  return (
    <Form form={form} submit="Send again" cancel={close}>
      <TextInput
        label="To"
        type="email"
        required
        data-autofocus
        description="A new message with the same content; it counts as any other."
        {...form.getInputProps("email")}
      />
    </Form>
  );
}
