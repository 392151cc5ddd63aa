/** A filter one types: shown at once, asked for after a pause. */
import { CloseButton, TextInput, type TextInputProps } from "@mantine/core";
import { useTyped } from "@/components/filters";

interface Props extends Omit<TextInputProps, "value" | "onChange"> {
  value: string;
  set: (value: string) => void;
}

export function TypedFilter({ value, set, ...props }: Props) {
  const [typed, type] = useTyped(value, set);
  return (
    <TextInput
      {...props}
      value={typed}
      onChange={(event) => type(event.currentTarget.value)}
      rightSection={
        typed ? <CloseButton size="sm" aria-label="Clear the filter" onClick={() => type("")} /> : null
      }
    />
  );
}
