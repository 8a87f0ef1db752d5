import { CodeBlock, CodeBlockAction, CodeBlockCode } from "@patternfly/react-core";
import { CopyButton } from "./CopyButton";

interface Props {
  readonly text: string;
  readonly label: string;
}

/** Some lines of text to read and to copy. */
export function Code({ text, label }: Props) {
  return (
    <CodeBlock
      actions={
        <CodeBlockAction>
          <CopyButton text={text} label={label} />
        </CodeBlockAction>
      }
    >
      <CodeBlockCode>{text}</CodeBlockCode>
    </CodeBlock>
  );
}

/** One line, under its title. */
export function CodeLine({ text, label }: Props) {
  return (
    <div className="krkn-code-line">
      <span className="krkn-faint">{label}</span>
      <code className="krkn-wrap">{text}</code>
      <CopyButton text={text} label={label} />
    </div>
  );
}
