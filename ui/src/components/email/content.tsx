/** What an email says, in every form that is kept: as people see it, text, headers, source, attachments. */
import { Alert, Anchor, Stack, Tabs, Text } from "@mantine/core";
import { IconInfoCircle } from "@tabler/icons-react";
import { Link } from "react-router";
import { Time } from "@/components/time";
import type { components } from "@/generated/v1";
import { useMay } from "@/session/session";
import { Attachments } from "./attachments";
import classes from "./email.module.css";
import { Preview } from "./preview";
import { Source } from "./source";
import { Verbatim } from "./verbatim";

export type Content = components["schemas"]["ContentOut"];

interface Props {
  emailId: string;
  domainId: string;
  content: Content;
}

export function EmailContent({ emailId, domainId, content }: Props) {
  if (!content.content_kept) return <NotKept content={content} domainId={domainId} />;
  const { text, html, headers, attachments } = content;
  const first = html !== null ? "html" : text !== null ? "text" : "headers";
  return (
    <Tabs defaultValue={first} keepMounted={false} key={emailId}>
      <Tabs.List mb="md">
        {html !== null && <Tabs.Tab value="html">HTML</Tabs.Tab>}
        {text !== null && <Tabs.Tab value="text">Text</Tabs.Tab>}
        <Tabs.Tab value="headers">Headers</Tabs.Tab>
        <Tabs.Tab value="source">Source</Tabs.Tab>
        {attachments.length > 0 && (
          <Tabs.Tab value="attachments">Attachments ({attachments.length})</Tabs.Tab>
        )}
      </Tabs.List>
      <Tabs.Panel value="html">
        <Preview emailId={emailId} />
      </Tabs.Panel>
      <Tabs.Panel value="text">
        <Plain text={text ?? ""} cut={content.cut} />
      </Tabs.Panel>
      <Tabs.Panel value="headers">
        <Headers headers={headers} />
      </Tabs.Panel>
      <Tabs.Panel value="source">
        <Source emailId={emailId} size={content.size} />
      </Tabs.Panel>
      <Tabs.Panel value="attachments">
        <Attachments emailId={emailId} attachments={attachments} />
      </Tabs.Panel>
      {content.kept_until && (
        <Text size="sm" c="dimmed" mt="md">
          The content is deleted <Time at={content.kept_until} />.
        </Text>
      )}
    </Tabs>
  );
}

function NotKept({ content, domainId }: { content: Content; domainId: string }) {
  const may = useMay("manage-domain");
  return (
    <Alert color="gray" variant="light" icon={<IconInfoCircle />} title="The content is not kept">
      <Stack gap={6}>
        <Text size="sm">{content.reason}</Text>
        {content.setting && (
          <Text size="sm">
            To keep the content of emails that are sent from now on, switch on the setting{" "}
            <code>{content.setting}</code> of{" "}
            {may ? (
              <Anchor component={Link} to={`/domains/${domainId}`} inherit underline="always">
                its domain
              </Anchor>
            ) : (
              "its domain"
            )}
            .
          </Text>
        )}
      </Stack>
    </Alert>
  );
}

function Plain({ text, cut }: { text: string; cut: boolean }) {
  return (
    <Stack gap="xs">
      <Verbatim label="Text of the email">{text}</Verbatim>
      {cut && (
        <Text size="sm" c="dimmed">
          It is longer; the source has all of it.
        </Text>
      )}
    </Stack>
  );
}

function Headers({ headers }: { headers: Content["headers"] }) {
  return (
    <dl className={classes.headers}>
      {headers.map((field, place) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a field may come several times, and they never move
        <div key={place}>
          <dt>{field.name}</dt>
          <dd>{field.value}</dd>
        </div>
      ))}
    </dl>
  );
}
