/**
 * Forms that send to the API: its words about a field stand at the field, everything else above the button.
 *
 *     const form = useApiForm({ initialValues: { name: "" }, send: (values) => body(v1.POST(...)), done: close });
 *     <Form form={form} submit="Save"><TextInput label="Name" {...form.getInputProps("name")} /></Form>
 */
import { Button, Group, Stack } from "@mantine/core";
import { type UseFormInput, type UseFormReturnType, useForm } from "@mantine/form";
import type { QueryKey } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { ApiError } from "@/api/error";
import { useChange } from "@/api/queries";
import { Problem } from "@/components/problem";

interface Sending<Values, Output> {
  send: (values: Values) => Promise<Output>;
  done?: (output: Output, values: Values) => void;
  refresh?: QueryKey[];
}

export type ApiForm<Values extends Record<string, unknown>> = UseFormReturnType<Values> & {
  /** What no field of the form stands for. */
  problem: Error | null;
  pending: boolean;
  submit: (event?: React.FormEvent<HTMLFormElement>) => void;
};

export function useApiForm<Values extends Record<string, unknown>, Output>({
  send,
  done,
  refresh,
  ...input
}: UseFormInput<Values> & Sending<Values, Output>): ApiForm<Values> {
  const form = useForm<Values>({
    mode: "controlled",
    onSubmitPreventDefault: "always",
    ...input,
  }) as UseFormReturnType<Values>;
  const change = useChange(send, { refresh, quiet: true, done });
  const submit = form.onSubmit((values) =>
    change.mutate(values as Values, {
      onError: (error) => {
        if (error instanceof ApiError) showAtFields(form, error);
      },
    }),
  );
  // Mantine's password fields do not tell it by themselves.
  const getInputProps: typeof form.getInputProps = (path, options) => {
    const props = form.getInputProps(path, options);
    return props.error ? { ...props, "aria-invalid": true } : props;
  };
  const problem = unplaced(form, change.error);
  return { ...form, getInputProps, problem, pending: change.isPending, submit };
}

function showAtFields<Values extends Record<string, unknown>>(
  form: UseFormReturnType<Values>,
  error: ApiError,
) {
  form.setErrors(error.fields);
  const first = Object.keys(error.fields).find((path) => form.getInputNode(path) !== null);
  if (first !== undefined) form.getInputNode(first)?.focus();
}

/** The error, unless the fields of the form say all of it. */
function unplaced<Values extends Record<string, unknown>>(
  form: UseFormReturnType<Values>,
  error: Error | null,
): Error | null {
  if (!(error instanceof ApiError)) return error;
  const paths = Object.keys(error.fields);
  const known = (path: string) => (path.split(".")[0] ?? "") in form.values;
  return paths.length > 0 && paths.every(known) ? null : error;
}

interface FormProps<Values extends Record<string, unknown>> {
  form: ApiForm<Values>;
  /** What the button says. */
  submit: string;
  danger?: boolean;
  cancel?: () => void;
  wide?: boolean;
  children: ReactNode;
}

export function Form<Values extends Record<string, unknown>>(props: FormProps<Values>) {
  const { form, submit, danger, cancel, wide, children } = props;
  return (
    <form onSubmit={form.submit} noValidate>
      <Stack gap="md">
        {children}
        {form.problem && <Problem error={form.problem} />}
        <Group justify={cancel ? "flex-end" : "flex-start"} gap="sm">
          {cancel && (
            <Button variant="default" onClick={cancel}>
              Cancel
            </Button>
          )}
          <Button type="submit" loading={form.pending} color={danger ? "red.9" : undefined} fullWidth={wide}>
            {submit}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
