/**
 * A list from the server with its pages. On a phone each row becomes a card. Shows skeletons while it loads, `empty` when
 * there is nothing, and what went wrong.
 *
 *     const list = useList(["users"], (page) => body(v1.GET("/users", { params: { query: { page } } })));
 *     <ListTable list={list} columns={COLUMNS} rowKey={(user) => user.id} label="Users" empty={<Empty .../>} />
 */
import { Box, Button, Group, Paper, Skeleton, Table, Text } from "@mantine/core";
import { IconChevronLeft, IconChevronRight } from "@tabler/icons-react";
import type { ReactNode } from "react";
import type { List, Listed } from "@/api/queries";
import { Problem } from "@/components/problem";
import { count } from "@/lib/numbers";
import classes from "./table.module.css";

export interface Column<Row> {
  /** "" for a column of buttons, which stands last. */
  header: string;
  cell: (row: Row) => ReactNode;
  /** For numbers. */
  right?: true;
  /** Takes what room is left. */
  wide?: true;
  /** Left out on a phone. */
  extra?: true;
}

interface Props<Row> {
  list: List<Row>;
  columns: Column<Row>[];
  rowKey: (row: Row) => string;
  /** What the list is of, for who cannot see it. */
  label: string;
  /** Instead of a table without rows. */
  empty: ReactNode;
  /** Without a frame: inside something that has one. */
  flush?: boolean;
}

export function ListTable<Row>({ list, columns, rowKey, label, empty, flush }: Props<Row>) {
  const Frame = flush ? Box : Paper;
  if (list.error && !list.data) return <Problem error={list.error} retry={() => list.refetch()} />;
  if (list.data && list.data.data.length === 0 && list.page === 1) return <Frame>{empty}</Frame>;
  return (
    <Frame style={{ overflow: "hidden" }}>
      <Rows
        columns={columns}
        rows={list.data?.data}
        rowKey={rowKey}
        label={label}
        faded={list.isPlaceholderData}
      />
      {list.data && <Pager listed={list.data} setPage={list.setPage} label={label} />}
    </Frame>
  );
}

interface RowsProps<Row> {
  columns: Column<Row>[];
  /** Absent while it loads. */
  rows: Row[] | undefined;
  rowKey: (row: Row) => string;
  label: string;
  faded?: boolean;
}

/** The table alone, for what is no list of the server. */
export function Rows<Row>({ columns, rows, rowKey, label, faded }: RowsProps<Row>) {
  return (
    <Table
      className={classes.table}
      aria-label={label}
      aria-busy={!rows || faded}
      role="table"
      data-faded={faded || undefined}
    >
      <Table.Thead role="rowgroup">
        <Table.Tr role="row">
          {columns.map((column) => (
            <Table.Th
              key={column.header}
              role="columnheader"
              className={looks(column)}
              aria-label={column.header || "Actions"}
            >
              {column.header}
            </Table.Th>
          ))}
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody role="rowgroup">
        {rows
          ? rows.map((row) => (
              <Table.Tr key={rowKey(row)} role="row">
                {columns.map((column) => (
                  <Table.Td
                    key={column.header}
                    role="cell"
                    data-label={column.header}
                    className={looks(column)}
                  >
                    {column.cell(row)}
                  </Table.Td>
                ))}
              </Table.Tr>
            ))
          : ["a", "b", "c", "d"].map((key) => (
              <Table.Tr key={key} role="row">
                {columns.map((column) => (
                  <Table.Td key={column.header} role="cell" className={looks(column)}>
                    <Skeleton h={14} my={4} />
                  </Table.Td>
                ))}
              </Table.Tr>
            ))}
      </Table.Tbody>
    </Table>
  );
}

function looks<Row>(column: Column<Row>): string {
  const all = [
    column.right && classes.right,
    column.wide && classes.wide,
    column.extra && classes.extra,
    column.header === "" && classes.actions,
  ];
  return all.filter(Boolean).join(" ");
}

interface PagerProps<Row> {
  listed: Listed<Row>;
  setPage: (page: number) => void;
  label: string;
}

/** Nothing for a list that fits on one page. */
function Pager<Row>({ listed, setPage, label }: PagerProps<Row>) {
  const { meta, links } = listed;
  const { current_page: page, from, to, total } = meta;
  if (page === 1 && !links.next) return null;
  return (
    <Box component="nav" aria-label={`Pages of ${label}`} className={classes.pager}>
      <Text size="sm" c="dimmed">
        {from === null ? "No more rows" : `${count(from)}–${count(to ?? from)}`}
        {total !== undefined && ` of ${count(total)}`}
      </Text>
      <Group gap="xs">
        <Button
          variant="default"
          size="xs"
          leftSection={<IconChevronLeft size={14} />}
          disabled={page === 1}
          onClick={() => setPage(page - 1)}
        >
          Previous
        </Button>
        <Button
          variant="default"
          size="xs"
          rightSection={<IconChevronRight size={14} />}
          disabled={!links.next}
          onClick={() => setPage(page + 1)}
        >
          Next
        </Button>
      </Group>
    </Box>
  );
}
