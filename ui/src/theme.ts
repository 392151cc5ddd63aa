/** How everything looks: one colour, one font, quiet greys that are dark enough to read (WCAG AA) in light and dark. */
import {
  alpha,
  type CSSVariablesResolver,
  createTheme,
  type MantineColorsTuple,
  type MantineTheme,
  Menu,
  Modal,
  NavLink,
  Notification,
  Paper,
  Table,
  Tabs,
  Tooltip,
} from "@mantine/core";

const postroom: MantineColorsTuple = [
  "#e9f7f4",
  "#d5ece7",
  "#a9d9cf",
  "#78c5b6",
  "#4db3a1",
  "#2b9d8b",
  "#17857a",
  "#0f6f65",
  "#0b5b53",
  "#074740",
];

const dark: MantineColorsTuple = [
  "#c9d1d6",
  "#b3bcc3",
  "#9aa5ad",
  "#626d76",
  "#3d464e",
  "#2f373e",
  "#252b31",
  "#1b2025",
  "#14181c",
  "#0e1114",
];

/** The main colour is too dark to be seen as a line on dark; `global.css` says the same of what has the focus. */
const LINE = "light-dark(var(--mantine-color-postroom-7), var(--mantine-color-postroom-4))";

export const theme = createTheme({
  primaryColor: "postroom",
  primaryShade: 7,
  colors: { postroom, dark },
  fontFamily: "'Inter Variable', system-ui, sans-serif",
  fontFamilyMonospace: "ui-monospace, SFMono-Regular, Menlo, Consolas, monospace",
  headings: {
    fontWeight: "650",
    sizes: {
      h1: { fontSize: "1.5rem", lineHeight: "1.3" },
      h2: { fontSize: "1.0625rem", lineHeight: "1.4" },
    },
  },
  defaultRadius: "md",
  cursorType: "pointer",
  components: {
    Tabs: Tabs.extend({ vars: () => ({ root: { "--tabs-color": LINE } }) }),
    Notification: Notification.extend({ defaultProps: { closeButtonProps: { "aria-label": "Close" } } }),
    Paper: Paper.extend({ defaultProps: { withBorder: true, radius: "lg" } }),
    // The placeholder that takes the first focus is no child that a menu may have.
    Menu: Menu.extend({ defaultProps: { withInitialFocusPlaceholder: false } }),
    Modal: Modal.extend({
      defaultProps: {
        radius: "lg",
        centered: true,
        padding: "lg",
        styles: { title: { fontWeight: 600 } },
        closeButtonProps: { "aria-label": "Close" },
      },
    }),
    NavLink: NavLink.extend({ defaultProps: { variant: "light" } }),
    Table: Table.extend({ defaultProps: { verticalSpacing: "sm", horizontalSpacing: "lg" } }),
    Tooltip: Tooltip.extend({ defaultProps: { withArrow: true, openDelay: 250 } }),
  },
});

/** In dark a chip or an alert is a breath of its colour; Mantine's own are heavy. */
function light(theme: MantineTheme): Record<string, string> {
  const names = Object.keys(theme.colors).filter((name) => name !== "dark");
  return Object.fromEntries(
    names.flatMap((name) => [
      [`--mantine-color-${name}-light`, alpha(theme.colors[name]?.[5] ?? "", 0.15)],
      [`--mantine-color-${name}-light-hover`, alpha(theme.colors[name]?.[5] ?? "", 0.22)],
      [`--mantine-color-${name}-light-color`, theme.colors[name]?.[2] ?? ""],
    ]),
  );
}

export const colors: CSSVariablesResolver = (theme) => ({
  variables: {},
  light: {
    "--mantine-color-dimmed": "#59636d",
    "--mantine-color-placeholder": "#69737d",
    "--mantine-color-error": "#b3261e",
    "--mantine-color-yellow-light-color": "#7a4d00",
    "--mantine-color-anchor": postroom[7],
    "--page-background": "#f7f8f8",
  },
  dark: {
    "--mantine-color-dimmed": "#9aa5ad",
    "--mantine-color-placeholder": "#8b969f",
    "--mantine-color-error": "#ff9a91",
    "--mantine-color-anchor": postroom[3],
    ...light(theme),
    "--page-background": dark[8],
  },
});
