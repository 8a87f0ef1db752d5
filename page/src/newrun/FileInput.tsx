import { FileUpload } from "@patternfly/react-core";
import { useState } from "react";
import { errorText } from "../api/errors";

interface Props {
  readonly id: string;
  readonly label: string;
  /** The file that was chosen; empty when there is none. */
  readonly filename: string;
  readonly isInvalid: boolean;
  /** Reads it; what it raises is shown. */
  readonly onFile: (file: File) => Promise<void>;
  readonly onClear: () => void;
}

/** A file of the user's, by a button or by drag and drop. */
export function FileInput({ id, label, filename, isInvalid, onFile, onClear }: Props) {
  const [error, setError] = useState("");
  const take = async (file: File) => {
    try {
      await onFile(file);
      setError("");
    } catch (failure) {
      setError(errorText(failure));
    }
  };
  return (
    <>
      <FileUpload
        id={id}
        filename={filename}
        filenamePlaceholder="Drop a file, or choose one"
        browseButtonText="Choose"
        filenameAriaLabel={label}
        hideDefaultPreview
        isClearButtonDisabled={filename === ""}
        validated={error || isInvalid ? "error" : "default"}
        onFileInputChange={(_, file) => void take(file)}
        onClearClick={() => {
          setError("");
          onClear();
        }}
      />
      {error && (
        <p className="krkn-wrong" role="alert">
          {error}
        </p>
      )}
    </>
  );
}
