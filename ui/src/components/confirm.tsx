/** Before something that cannot be taken back. */
import { Stack, Text } from "@mantine/core";
import { modals } from "@mantine/modals";
import type { ReactNode } from "react";

interface Question {
  title: string;
  /** What will happen. */
  children: ReactNode;
  /** The button says what it does: "Remove Anna". */
  confirm: string;
  onConfirm: () => void;
}

export function confirm({ title, children, confirm, onConfirm }: Question) {
  modals.openConfirmModal({
    title,
    children: (
      <Stack gap="xs">{typeof children === "string" ? <Text size="sm">{children}</Text> : children}</Stack>
    ),
    labels: { confirm, cancel: "Cancel" },
    confirmProps: { color: "red.9" },
    onConfirm: onConfirm,
  });
}
