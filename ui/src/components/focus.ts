import { useRef } from "react";

/**
 * Where the focus goes when the second of two dialogs closes: what had it before stood in the first one, and is gone.
 *
 *     const [button, focusBack] = useFocusBack();
 *     <Button ref={button} .../> <Modal onExitTransitionEnd={focusBack} .../>
 */
export function useFocusBack() {
  const target = useRef<HTMLButtonElement>(null);
  const back = () => {
    if (document.activeElement === document.body) target.current?.focus();
  };
  return [target, back] as const;
}
