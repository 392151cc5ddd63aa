/** The account one works in, the others one could, and a new one where people may make some. */
import { Badge, Group, Menu, Stack, Text, UnstyledButton, VisuallyHidden } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconCheck, IconPlus, IconSelector } from "@tabler/icons-react";
import { useNavigate } from "react-router";
import { console, data } from "@/api/client";
import { useChange } from "@/api/queries";
import { begin, useSession } from "@/session/session";
import { useMakesAccounts } from "@/session/sign-up";
import { NewAccount } from "./new-account";
import classes from "./shell.module.css";

export function AccountMenu() {
  const session = useSession();
  const navigate = useNavigate();
  const change = useChange(
    (account_id: string) => data(console.POST("/session/account", { body: { account_id } })),
    {
      done: (switched) => {
        begin(switched);
        navigate("/");
      },
    },
  );
  const makes = useMakesAccounts();
  const [making, make] = useDisclosure();
  const current = session.accounts.find((one) => one.id === session.account_id);
  const others = session.accounts.length > 1;
  if (!others && !makes) return current ? <Account name={current.name} role={current.role} /> : null;
  return (
    <>
      <Menu width="target" position="bottom-start">
        <Menu.Target>
          <UnstyledButton className={classes.account} disabled={change.isPending}>
            <VisuallyHidden>{others ? "Switch account" : "Accounts"}</VisuallyHidden>
            <Group justify="space-between" wrap="nowrap">
              <Words name={current?.name ?? "Choose an account"} role={current?.role ?? ""} />
              <IconSelector size={16} />
            </Group>
          </UnstyledButton>
        </Menu.Target>
        <Menu.Dropdown>
          {session.accounts.map((one) => (
            <Menu.Item
              key={one.id}
              onClick={() => one.id !== session.account_id && change.mutate(one.id)}
              rightSection={
                one.id === session.account_id ? <IconCheck size={16} aria-label="current" /> : undefined
              }
            >
              <Group gap="xs">
                {one.name}
                {one.state === "suspended" && (
                  <Badge color="red" size="sm">
                    suspended
                  </Badge>
                )}
              </Group>
            </Menu.Item>
          ))}
          {makes && (
            <>
              <Menu.Divider />
              <Menu.Item leftSection={<IconPlus size={16} />} onClick={make.open}>
                New account
              </Menu.Item>
            </>
          )}
        </Menu.Dropdown>
      </Menu>
      <NewAccount opened={making} close={make.close} enter={change.mutate} />
    </>
  );
}

function Account(props: { name: string; role: string }) {
  return (
    <div className={classes.account}>
      <Words {...props} />
    </div>
  );
}

function Words({ name, role }: { name: string; role: string }) {
  return (
    <Stack gap={0} miw={0}>
      <Text size="sm" fw={600} truncate>
        {name}
      </Text>
      <Text size="xs" c="dimmed">
        {role}
      </Text>
    </Stack>
  );
}
