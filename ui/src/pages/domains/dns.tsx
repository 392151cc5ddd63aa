/** What to publish for the domain, and what the DNS says now. */
import { Button, List, Select, Skeleton, Stack, Text } from "@mantine/core";
import { useLocalStorage } from "@mantine/hooks";
import { IconRefresh } from "@tabler/icons-react";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { body, data, v1 } from "@/api/client";
import { Problem } from "@/components/problem";
import { Section } from "@/components/section";
import { Time } from "@/components/time";
import type { Domain } from "./domain";
import { type DnsRecord, PROVIDERS, type Provider } from "./providers";
import { type Finding, RecordCard } from "./record";

const EVERY = 20_000; // ms between looks while the domain is not verified

/** Large receivers look at them. */
const RECOMMENDED = ["return_path", "dmarc"];

export function Dns({ domain }: { domain: Domain }) {
  const records = useRecords(domain.id);
  const check = useCheck(domain);
  const [key, setKey] = useLocalStorage({ key: "dns-provider", defaultValue: "other" });
  const provider = PROVIDERS.find((one) => one.key === key) ?? (PROVIDERS[0] as Provider);
  if (records.error) return <Problem error={records.error} retry={() => records.refetch()} />;
  if (!records.data) return <Skeleton h={420} radius="lg" />;
  const findings = check.data?.data.records ?? [];
  const entries = entriesOf(records.data);
  const others = findings.filter((one) => !one.ok && one.mend && !entries.some(([key]) => key === one.key));
  return (
    <Stack gap="lg">
      <Section
        title="DNS records"
        about={
          <>
            Publish them where the DNS of {records.data.zone} is kept.{" "}
            {check.data && (
              <>
                Looked at <Time at={new Date(check.dataUpdatedAt).toISOString()} />.{" "}
              </>
            )}
            {!domain.is_verified && "They are looked at again by themselves as long as this page is open."}
          </>
        }
        actions={
          <Button
            variant={domain.is_verified ? "default" : "filled"}
            leftSection={<IconRefresh size={16} />}
            loading={check.isFetching}
            onClick={() => check.refetch()}
          >
            Check now
          </Button>
        }
      >
        <Stack gap="md">
          {check.error && <Problem error={check.error} />}
          {check.data && (
            <Text size="sm" fw={550} role="status">
              {check.data.message}
            </Text>
          )}
          <Select
            label="Where is its DNS kept?"
            data={PROVIDERS.map(({ key, name }) => ({ value: key, label: name }))}
            value={provider.key}
            onChange={(value) => setKey(value ?? "other")}
            allowDeselect={false}
            maw={360}
          />
          <List size="sm" c="dimmed" aria-label={`Notes for ${provider.name}`}>
            {provider.notes.map((note) => (
              <List.Item key={note}>{note}</List.Item>
            ))}
          </List>
        </Stack>
      </Section>
      {entries.map(([name, record]) => (
        <RecordCard
          key={name}
          record={record}
          zone={records.data.zone}
          provider={provider}
          importance={record.required ? "Required" : RECOMMENDED.includes(name) ? "Recommended" : "Optional"}
          finding={findings.find((one) => one.key === name)}
        />
      ))}
      <Alternative
        records={records.data.return_path_alternative}
        zone={records.data.zone}
        provider={provider}
      />
      <Others findings={others} notes={check.data?.data.notes ?? []} />
    </Stack>
  );
}

function useRecords(domain_id: string) {
  return useQuery({
    queryKey: ["dns", domain_id, "records"],
    queryFn: () => data(v1.GET("/domains/{domain_id}/dns-records", { params: { path: { domain_id } } })),
  });
}

/** Looking may verify the domain: then what shows its state is asked for anew. */
function useCheck(domain: Domain) {
  const client = useQueryClient();
  return useQuery({
    queryKey: ["dns", domain.id, "check"],
    queryFn: async () => {
      const path = { domain_id: domain.id };
      const found = await body(v1.GET("/domains/{domain_id}/verify", { params: { path } }));
      if (found.data.is_verified !== domain.is_verified || found.data.dkim !== domain.dkim) {
        client.invalidateQueries({ queryKey: ["domains"] });
      }
      return found;
    },
    refetchInterval: domain.is_verified ? false : EVERY,
  });
}

type Records = NonNullable<ReturnType<typeof useRecords>["data"]>;

/** Under the keys of what is found at them, the required first. Those that this installation does not have are left out. */
function entriesOf(records: Records): [string, DnsRecord][] {
  const all: [string, DnsRecord | null][] = [
    ["dkim", records.dkim],
    ["return_path", records.return_path],
    ["dmarc", records.dmarc],
    ["dkim_next", records.dkim_next],
    ["tracking", records.custom_tracking],
    ["inbound", records.inbound_routing],
  ];
  return all.filter((entry): entry is [string, DnsRecord] => entry[1] !== null);
}

interface AlternativeProps {
  records: DnsRecord[];
  zone: string;
  provider: Provider;
}

function Alternative({ records, zone, provider }: AlternativeProps) {
  if (records.length === 0) return null;
  return (
    <details>
      <Text component="summary" size="sm" style={{ cursor: "pointer" }}>
        The return path without a CNAME
      </Text>
      <Stack gap="lg" mt="md">
        {records.map((record) => (
          <RecordCard
            key={record.type}
            record={record}
            zone={zone}
            provider={provider}
            importance="Optional"
          />
        ))}
      </Stack>
    </details>
  );
}

/** What was found besides, and has no record here to publish. */
function Others({ findings, notes }: { findings: Finding[]; notes: string[] }) {
  if (findings.length === 0 && notes.length === 0) return null;
  return (
    <Section title="Also found">
      <List size="sm">
        {findings.map((one) => (
          <List.Item key={one.key} style={{ overflowWrap: "anywhere" }}>
            {one.record}: {one.found ? `found ${one.found}. ` : ""}
            {one.mend}
          </List.Item>
        ))}
        {notes.map((note) => (
          <List.Item key={note}>{note}</List.Item>
        ))}
      </List>
    </Section>
  );
}
