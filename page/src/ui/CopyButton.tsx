import { Button } from "@patternfly/react-core";
import { CheckIcon, CopyIcon } from "@patternfly/react-icons";
import { useEffect, useState } from "react";
import { copy } from "./clipboard";

interface Props {
  readonly text: string;
  /** What it copies, for those who do not see it. */
  readonly label: string;
}

const SHOWN_MILLISECONDS = 1500;

/** Copies text, and shows for a moment that it did. */
export function CopyButton({ text, label }: Props) {
  const [isCopied, setCopied] = useState(false);
  useEffect(() => {
    if (!isCopied) return;
    const timer = setTimeout(() => setCopied(false), SHOWN_MILLISECONDS);
    return () => clearTimeout(timer);
  }, [isCopied]);
  return (
    <Button
      variant="plain"
      size="sm"
      aria-label={isCopied ? "Copied" : `Copy ${label}`}
      title={isCopied ? "Copied" : "Copy"}
      icon={isCopied ? <CheckIcon /> : <CopyIcon />}
      onClick={() => void copy(text).then(() => setCopied(true))}
    />
  );
}
