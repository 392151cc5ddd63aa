/** The error boundary: a page that failed is told instead of a blank one. */
import { Button, Code, Container, Group, Stack, Text, Title } from "@mantine/core";
import { useRouteError } from "react-router";

export function Crash() {
  const error = useRouteError();
  const message = error instanceof Error ? error.message : String(error);
  // The files of a page are gone after an update; a reload gets the new ones.
  const outdated = /dynamically imported module|preload/i.test(message);
  return (
    <Container size="sm" py={64}>
      <Stack align="flex-start">
        <Title order={1}>{outdated ? "Postroom was updated" : "This page failed"}</Title>
        <Text>
          {outdated
            ? "Reload the page to get the new version."
            : "It is a fault of ours. Nothing you sent is lost; reloading the page may help."}
        </Text>
        {!outdated && <Code block>{message}</Code>}
        <Group>
          <Button onClick={() => window.location.reload()}>Reload</Button>
          <Button variant="default" component="a" href="/">
            Home
          </Button>
        </Group>
      </Stack>
    </Container>
  );
}
