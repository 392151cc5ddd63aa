/** What can be done with a token: the column of buttons, and the dialogs they open. */
import { ActionIcon, Menu } from "@mantine/core";
import {
  IconDots,
  IconListDetails,
  IconPencil,
  IconPlayerPause,
  IconPlayerPlay,
  IconTrash,
} from "@tabler/icons-react";
import { type ReactNode, useState } from "react";
import { data, v1 } from "@/api/client";
import { useChange } from "@/api/queries";
import { confirm } from "@/components/confirm";
import { notifyDone } from "@/components/notify";
import type { Column } from "@/components/table";
import { Details } from "./details";
import { Rename } from "./rename";
import type { Token } from "./token";

const REFRESH = [["tokens"]];

export function useActions(): { column: Column<Token>; dialogs: ReactNode } {
  const [shown, show] = useState<Token | null>(null);
  const [renamed, rename] = useState<Token | null>(null);
  const toggle = useToggle();
  const remove = useRemove();
  const column: Column<Token> = {
    header: "",
    cell: (token) => (
      <Menu position="bottom-end">
        <Menu.Target>
          <ActionIcon variant="subtle" color="gray" aria-label={`What to do with ${token.name}`}>
            <IconDots size={18} />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item leftSection={<IconListDetails size={16} />} onClick={() => show(token)}>
            What it may do
          </Menu.Item>
          <Menu.Item leftSection={<IconPencil size={16} />} onClick={() => rename(token)}>
            Rename
          </Menu.Item>
          <Menu.Item
            leftSection={
              token.status === "pause" ? <IconPlayerPlay size={16} /> : <IconPlayerPause size={16} />
            }
            onClick={() => toggle(token)}
          >
            {token.status === "pause" ? "Let it go on" : "Pause"}
          </Menu.Item>
          <Menu.Item leftSection={<IconTrash size={16} />} color="red" onClick={() => remove(token)}>
            Delete
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
    ),
  };
  const dialogs = (
    <>
      <Details token={shown} close={() => show(null)} />
      <Rename token={renamed} close={() => rename(null)} refresh={REFRESH} />
    </>
  );
  return { column, dialogs };
}

function useToggle(): (token: Token) => void {
  return useChange(
    ({ id, status }: Token) =>
      data(
        v1.PUT("/token/{token_id}/settings", {
          params: { path: { token_id: id } },
          body: { status: status === "pause" ? "unpause" : "pause" },
        }),
      ),
    {
      refresh: REFRESH,
      done: ({ name, status }) =>
        notifyDone(status === "pause" ? `${name} is paused.` : `${name} works again.`),
    },
  ).mutate;
}

function useRemove(): (token: Token) => void {
  const remove = useChange(
    ({ id }: Token) => v1.DELETE("/token/{token_id}", { params: { path: { token_id: id } } }),
    { refresh: REFRESH, done: (_, { name }) => notifyDone(`${name} is deleted.`) },
  );
  return (token) =>
    confirm({
      title: `Delete ${token.name}?`,
      children:
        "Whatever uses it is refused within a second. What was sent with it is delivered all the same.",
      confirm: "Delete",
      onConfirm: () => remove.mutate(token),
    });
}
