/** The frame of pages for who is not signed in: a card in the middle. */
import { Anchor, Box, Center, Group, Paper, Stack, Text, Title } from "@mantine/core";
import type { ReactNode } from "react";
import { Link } from "react-router";
import { useTitle } from "@/components/title";

interface Props {
  title: string;
  about?: ReactNode;
  /** Below the card: the other ways. */
  footer?: ReactNode;
  children: ReactNode;
}

export function Entry({ title, about, footer, children }: Props) {
  useTitle(title);
  return (
    <Center component="main" mih="100vh" p="md">
      <Box w="100%" maw={400}>
        <Group justify="center" gap={10} mb="lg">
          <img src="/icon.svg" alt="" width={34} height={34} />
          <Text fw={650} fz={22} lh={1}>
            Postroom
          </Text>
        </Group>
        <Paper p={{ base: "lg", xs: "xl" }} shadow="xs">
          <Stack gap="lg">
            <Stack gap={4}>
              <Title order={1} fz="1.25rem">
                {title}
              </Title>
              {about && (
                <Text c="dimmed" size="sm">
                  {about}
                </Text>
              )}
            </Stack>
            {children}
          </Stack>
        </Paper>
        {footer && (
          <Text component="div" size="sm" c="dimmed" ta="center" mt="md">
            {footer}
          </Text>
        )}
      </Box>
    </Center>
  );
}

/** A link between these pages; underlined, for it stands in text. */
export function EntryLink({ to, children }: { to: string; children: ReactNode }) {
  return (
    <Anchor component={Link} to={to} inherit underline="always">
      {children}
    </Anchor>
  );
}

/** The same for what is no other page. */
export function EntryButton({ onClick, children }: { onClick: () => void; children: ReactNode }) {
  return (
    <Anchor component="button" type="button" size="sm" underline="always" ta="left" onClick={onClick}>
      {children}
    </Anchor>
  );
}
