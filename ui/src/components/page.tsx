/** The frame of every page within the shell: title, a line about it, what can be done here. */
import { Anchor, Box, Group, Stack, Text, Title } from "@mantine/core";
import { IconChevronLeft } from "@tabler/icons-react";
import { type ReactNode, useEffect, useRef } from "react";
import { Link, useLocation } from "react-router";
import { useTitle } from "@/components/title";

interface Props {
  title: string;
  about?: ReactNode;
  /** Beside the title: a state, say. */
  badge?: ReactNode;
  /** Buttons, the main one last. */
  actions?: ReactNode;
  back?: { to: string; label: string };
  children: ReactNode;
}

export function Page({ title, about, badge, actions, back, children }: Props) {
  useTitle(title);
  const heading = useFocusOnArrival();
  return (
    <Stack gap="lg">
      <Box>
        {back && (
          <Anchor component={Link} to={back.to} size="sm" mb={4} display="inline-flex">
            <Group gap={2}>
              <IconChevronLeft size={16} />
              {back.label}
            </Group>
          </Anchor>
        )}
        <Group justify="space-between" align="flex-start" gap="md">
          <Stack gap={2} miw={0} flex="1 1 16rem">
            <Group gap="sm">
              <Title order={1} ref={heading} tabIndex={-1}>
                {title}
              </Title>
              {badge}
            </Group>
            {about && (
              <Text c="dimmed" size="sm" maw="44rem">
                {about}
              </Text>
            )}
          </Stack>
          {actions && <Group gap="sm">{actions}</Group>}
        </Group>
      </Box>
      {children}
    </Stack>
  );
}

let visited = "";

/** A new page is read from its heading by who cannot see it; the first page of a visit begins at the top. */
function useFocusOnArrival() {
  const heading = useRef<HTMLHeadingElement>(null);
  const { pathname } = useLocation();
  useEffect(() => {
    if (visited && visited !== pathname) heading.current?.focus({ preventScroll: true });
    visited = pathname;
  }, [pathname]);
  return heading;
}
