/** Where there is nothing yet: it says what would be here, and what to do next. */
import { Center, Stack, Text, ThemeIcon, Title } from "@mantine/core";
import type { ComponentType, ReactNode } from "react";

interface Props {
  title: string;
  icon?: ComponentType<{ size?: number | string; stroke?: number | string }>;
  /** What to do next. */
  action?: ReactNode;
  children?: ReactNode;
}

export function Empty({ title, icon: Icon, action, children }: Props) {
  return (
    <Center py={48} px="md">
      <Stack align="center" gap="xs" maw={420}>
        {Icon && (
          <ThemeIcon size={48} radius="xl" variant="light" mb={4}>
            <Icon size={24} stroke={1.6} />
          </ThemeIcon>
        )}
        <Title order={2} ta="center">
          {title}
        </Title>
        {children && (
          <Text c="dimmed" size="sm" ta="center">
            {children}
          </Text>
        )}
        {action}
      </Stack>
    </Center>
  );
}
