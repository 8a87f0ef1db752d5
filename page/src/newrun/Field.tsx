import {
  FormGroup,
  FormGroupLabelHelp,
  FormHelperText,
  HelperText,
  HelperTextItem,
  Popover,
} from "@patternfly/react-core";
import type { ReactNode } from "react";

interface Props {
  readonly id: string;
  readonly label: string;
  /** What stands at the end of the label's line. */
  readonly info?: ReactNode;
  /** A sentence below. */
  readonly hint?: ReactNode;
  /** A longer text, behind a question mark. */
  readonly help?: ReactNode;
  /** What is wrong with it; takes the place of the hint. */
  readonly error?: string | undefined;
  readonly isRequired?: boolean;
  /** A group of controls and not one that the label is for. */
  readonly role?: "group";
  readonly children: ReactNode;
}

export const hintId = (id: string) => `${id}-hint`;

/** What an input needs to be one with its hint and its error. */
export function described(id: string, error: string | undefined) {
  return {
    "aria-describedby": hintId(id),
    "aria-invalid": Boolean(error),
    validated: error ? ("error" as const) : ("default" as const),
  };
}

/** A control of a form, with its label, a hint, and what is wrong with it. */
export function Field(props: Props) {
  const { id, label, info, hint, help, error, isRequired, role, children } = props;
  return (
    <FormGroup
      label={label}
      fieldId={id}
      isRequired={isRequired}
      {...(role ? { role } : {})}
      {...(info ? { labelInfo: info } : {})}
      {...(help ? { labelHelp: <Help label={label}>{help}</Help> } : {})}
    >
      {children}
      <FormHelperText>
        <HelperText id={hintId(id)}>
          {(error || hint) && (
            <HelperTextItem variant={error ? "error" : "default"} className="krkn-wrap">
              {error || hint}
            </HelperTextItem>
          )}
        </HelperText>
      </FormHelperText>
    </FormGroup>
  );
}

function Help({ label, children }: { readonly label: string; readonly children: ReactNode }) {
  return (
    <Popover aria-label={label} bodyContent={children}>
      <FormGroupLabelHelp aria-label={`More on ${label}`} />
    </Popover>
  );
}
