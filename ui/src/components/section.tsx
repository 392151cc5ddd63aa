/** A part of a page with a heading of its own. */
import { Box, Group, Paper, Stack, Text, Title } from "@mantine/core";
import type { ReactNode } from "react";

interface Props {
  title: string;
  about?: ReactNode;
  actions?: ReactNode;
  /** Without padding around what is in it: a table. */
  flush?: boolean;
  children?: ReactNode;
}

export function Section({ title, about, actions, flush, children }: Props) {
  return (
    <Paper component="section" aria-label={title} style={{ overflow: "hidden" }}>
      <Group justify="space-between" align="flex-start" gap="sm" p="lg" pb={children ? "sm" : "lg"}>
        <Stack gap={2} flex="1 1 14rem">
          <Title order={2}>{title}</Title>
          {about && (
            <Text c="dimmed" size="sm" component="div">
              {about}
            </Text>
          )}
        </Stack>
        {actions && <Group gap="sm">{actions}</Group>}
      </Group>
      {children &&
        (flush ? (
          children
        ) : (
          <Box p="lg" pt={0}>
            {children}
          </Box>
        ))}
    </Paper>
  );
}
