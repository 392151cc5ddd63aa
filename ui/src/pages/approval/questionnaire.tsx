import { NumberInput, SimpleGrid, Textarea, TextInput } from "@mantine/core";
import { console, data } from "@/api/client";
import { Form, useApiForm } from "@/components/form";
import { notifyDone } from "@/components/notify";
import { useSession } from "@/session/session";
import type { Approval, Questionnaire } from "./approval";
import { QUESTIONS } from "./questions";

type Values = Questionnaire & Record<string, unknown>;

/** After a refusal it begins with what was answered before. */
export function Questions({ before }: { before: Approval["questionnaire"] }) {
  const { user } = useSession();
  const form = useApiForm<Values, Approval>({
    initialValues: {
      company: String(before?.company ?? ""),
      website: String(before?.website ?? ""),
      content: String(before?.content ?? ""),
      daily_volume: Number(before?.daily_volume ?? 100),
      consent: String(before?.consent ?? ""),
      contact: String(before?.contact ?? user.email),
    },
    send: (values) => data(console.POST("/approval", { body: values })),
    refresh: [["approval"], ["home"]],
    done: () => notifyDone("Your request is with the operator."),
  });
  const field = (name: keyof Questionnaire) => ({
    label: QUESTIONS[name]?.label,
    description: QUESTIONS[name]?.about,
    required: true,
    ...form.getInputProps(name),
  });
  const lines = { autosize: true, minRows: 3, maxRows: 8 };
  return (
    <Form form={form} submit="Ask for approval">
      <SimpleGrid cols={{ base: 1, sm: 2 }}>
        <TextInput {...field("company")} />
        <TextInput type="url" placeholder="https://example.com" {...field("website")} />
      </SimpleGrid>
      <Textarea {...lines} {...field("content")} />
      <Textarea {...lines} {...field("consent")} />
      <SimpleGrid cols={{ base: 1, sm: 2 }}>
        <NumberInput min={1} allowDecimal={false} thousandSeparator="," {...field("daily_volume")} />
        <TextInput type="email" {...field("contact")} />
      </SimpleGrid>
    </Form>
  );
}
