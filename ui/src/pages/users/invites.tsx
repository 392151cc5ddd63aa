import { ActionIcon, Modal, Tooltip } from "@mantine/core";
import { IconSend, IconTrash } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { body, console, data, v1 } from "@/api/client";
import { useChange } from "@/api/queries";
import { notifyDone } from "@/components/notify";
import { Section } from "@/components/section";
import { State } from "@/components/state";
import { type Column, Rows } from "@/components/table";
import { Time } from "@/components/time";
import type { components } from "@/generated/v1";
import { InviteLink } from "./invite-link";

type Invite = components["schemas"]["InviteOut"];

const GOOD_FOR = 72 * 3_600_000;
const MOST = 100;

/** Nothing when nobody is invited. */
export function Invites() {
  const list = useQuery({
    queryKey: ["invites"],
    queryFn: () => body(v1.GET("/invites", { params: { query: { limit: MOST } } })),
  });
  const [link, setLink] = useState<{ email: string; link: string } | null>(null);
  const resend = useChange(
    (invite_id: string) =>
      data(console.POST("/invites/{invite_id}/resend", { params: { path: { invite_id } } })),
    {
      refresh: [["invites"]],
      done: (sent) =>
        sent.link
          ? setLink({ email: sent.email, link: sent.link })
          : notifyDone(`Sent to ${sent.email} again.`),
    },
  );
  const cancel = useChange(
    (invite_id: string) => body(v1.DELETE("/invites/{invite_id}", { params: { path: { invite_id } } })),
    { refresh: [["invites"]], done: () => notifyDone("The invitation is cancelled; its link is dead.") },
  );
  if (!list.data || list.data.data.length === 0) return null;
  return (
    <Section flush title="Invited" about="A link is good for three days.">
      <Rows
        label="Invited"
        rows={list.data.data}
        rowKey={(invite) => invite.id}
        columns={columns(resend.mutate, cancel.mutate)}
      />
      <Modal opened={link !== null} onClose={() => setLink(null)} title="The new link">
        {link && <InviteLink {...link} close={() => setLink(null)} />}
      </Modal>
    </Section>
  );
}

function columns(resend: (id: string) => void, cancel: (id: string) => void): Column<Invite>[] {
  return [
    { header: "Email", wide: true, cell: (invite) => invite.email },
    { header: "Role", cell: (invite) => invite.role },
    {
      header: "Sent",
      cell: (invite) =>
        Date.parse(invite.updated_at) + GOOD_FOR < Date.now() ? (
          <State kind="waiting">Expired</State>
        ) : (
          <Time at={invite.updated_at} />
        ),
    },
    {
      header: "",
      cell: (invite) => (
        <ActionIcon.Group>
          <Tooltip label="Send again">
            <ActionIcon
              variant="default"
              size="lg"
              onClick={() => resend(invite.id)}
              aria-label={`Send the invitation of ${invite.email} again`}
            >
              <IconSend size={16} />
            </ActionIcon>
          </Tooltip>
          <Tooltip label="Cancel">
            <ActionIcon
              variant="default"
              size="lg"
              onClick={() => cancel(invite.id)}
              aria-label={`Cancel the invitation of ${invite.email}`}
            >
              <IconTrash size={16} />
            </ActionIcon>
          </Tooltip>
        </ActionIcon.Group>
      ),
    },
  ];
}
