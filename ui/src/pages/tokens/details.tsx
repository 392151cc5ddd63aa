import { List, Modal, Stack, Text } from "@mantine/core";
import type { ReactNode } from "react";
import { Time } from "@/components/time";
import { labelOf } from "./scopes";
import type { Token } from "./token";

export function Details({ token, close }: { token: Token | null; close: () => void }) {
  return (
    <Modal opened={token !== null} onClose={close} title={token?.name}>
      {token && (
        <Stack gap="md" style={{ overflowWrap: "anywhere" }}>
          <Fact name="May">
            <List size="sm">
              {token.scopes.map((scope) => (
                <List.Item key={scope}>{labelOf(scope)}</List.Item>
              ))}
            </List>
          </Fact>
          <Fact name="For">{token.domain ? `${token.domain.name} alone` : "The whole account"}</Fact>
          <Fact name="May be used from">{token.allowed_addresses.join(", ") || "Anywhere"}</Fact>
          <Fact name="Ends">{token.expires_at ? <Time at={token.expires_at} /> : "Never"}</Fact>
          <Fact name="Made">
            <Time at={token.created_at} />
          </Fact>
        </Stack>
      )}
    </Modal>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <Stack gap={2}>
      <Text size="sm" c="dimmed">
        {name}
      </Text>
      <Text size="sm" component="div">
        {children}
      </Text>
    </Stack>
  );
}
