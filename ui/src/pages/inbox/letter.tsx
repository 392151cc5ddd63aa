/** One email of the sandbox inbox: beside the list, or on a phone alone on the page. */
import { Box, Button, Group, Skeleton, Stack, Text, Title } from "@mantine/core";
import { IconRoute, IconTrash } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Link } from "react-router";
import { body, data, v1 } from "@/api/client";
import { ApiError } from "@/api/error";
import { useChange } from "@/api/queries";
import { EmailContent } from "@/components/email/content";
import { DownloadSource } from "@/components/email/source";
import { Empty } from "@/components/empty";
import { notifyDone } from "@/components/notify";
import { Page } from "@/components/page";
import { Problem } from "@/components/problem";
import { Time } from "@/components/time";
import type { components } from "@/generated/v1";
import { size } from "@/lib/numbers";
import { useMay } from "@/session/session";

type Shown = components["schemas"]["ShownItem"];

interface Props {
  emailId: string;
  close: () => void;
  /** On a page of its own. */
  alone?: true;
}

export function Letter({ emailId, close, alone }: Props) {
  const path = { sandbox_email_id: emailId };
  const letter = useQuery({
    queryKey: ["inbox", "email", emailId],
    queryFn: () => data(v1.GET("/inbox/{sandbox_email_id}", { params: { path } })),
  });
  const inside = letter.data ? (
    <Read letter={letter.data} close={close} />
  ) : letter.error ? (
    <Box p={alone ? 0 : "lg"}>
      {letter.error instanceof ApiError && letter.error.status === 404 ? (
        <Empty title="This email is not in the inbox any more" />
      ) : (
        <Problem error={letter.error} retry={() => letter.refetch()} />
      )}
    </Box>
  ) : (
    <Stack p={alone ? 0 : "lg"} aria-busy="true">
      <Skeleton h={28} w="60%" />
      <Skeleton h={320} />
    </Stack>
  );
  const subject = letter.data ? letter.data.subject || "No subject" : "Email";
  if (alone) {
    return (
      <Page title={subject} back={{ to: "/inbox", label: "Sandbox inbox" }}>
        {inside}
      </Page>
    );
  }
  return (
    <Box component="article" aria-label={subject} p="lg">
      {letter.data && (
        <Title order={2} mb="sm" style={{ overflowWrap: "anywhere" }}>
          {subject}
        </Title>
      )}
      {inside}
    </Box>
  );
}

function Read({ letter, close }: { letter: Shown; close: () => void }) {
  return (
    <Stack gap="md">
      <Stack gap={2}>
        <Line name="From">{letter.from}</Line>
        <Line name="To">{letter.to}</Line>
        <Line name="Came">
          <Time at={letter.received_at} is="exact" />, {size(letter.size)}
        </Line>
      </Stack>
      <Group gap="xs">
        <DownloadSource emailId={letter.id} />
        <Button
          component={Link}
          to={`/activity/${letter.id}`}
          size="xs"
          variant="default"
          leftSection={<IconRoute size={15} />}
        >
          Timeline
        </Button>
        <Delete letter={letter} close={close} />
      </Group>
      <EmailContent emailId={letter.id} domainId={letter.domain_id} content={letter.content} />
    </Stack>
  );
}

function Line({ name, children }: { name: string; children: ReactNode }) {
  return (
    <Text size="sm" style={{ overflowWrap: "anywhere" }}>
      <Text span c="dimmed" inherit>{`${name} `}</Text>
      {children}
    </Text>
  );
}

/** Without a question: it is a test, and stays in the activity. */
function Delete({ letter, close }: { letter: Shown; close: () => void }) {
  const may = useMay("control-sendings");
  const remove = useChange(
    () => body(v1.DELETE("/inbox/{sandbox_email_id}", { params: { path: { sandbox_email_id: letter.id } } })),
    {
      refresh: [["inbox"]],
      done: () => {
        close();
        notifyDone("Deleted.");
      },
    },
  );
  if (!may) return null;
  return (
    <Button
      size="xs"
      variant="default"
      leftSection={<IconTrash size={15} />}
      onClick={() => remove.mutate(undefined)}
      loading={remove.isPending}
    >
      Delete
    </Button>
  );
}
