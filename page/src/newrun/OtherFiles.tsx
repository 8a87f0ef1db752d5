import { Button, TextInput } from "@patternfly/react-core";
import { MinusCircleIcon } from "@patternfly/react-icons";
import { FileInput } from "./FileInput";
import { read } from "./files";
import { useNewRun } from "./form";

/** Files for the container, each with its path there. */
export function OtherFiles() {
  const { draft, violations, update } = useNewRun();
  const { files } = draft;
  const error = violations.get("files");
  return (
    <fieldset className="krkn-set">
      <legend>Files</legend>
      {files.map((file, index) => (
        <div key={index} className="krkn-file-row">
          <span className="krkn-wrap">{file.name}</span>
          <TextInput
            aria-label={`Path of ${file.name} in the container`}
            placeholder="/path/in/the/container"
            autoComplete="off"
            value={file.mountPath}
            onChange={(_, mountPath) => {
              const next = files.map((each, at) => (at === index ? { ...each, mountPath } : each));
              update({ files: next }, "files");
            }}
          />
          <Button
            variant="plain"
            icon={<MinusCircleIcon />}
            aria-label={`Remove ${file.name}`}
            onClick={() => update({ files: files.filter((_, at) => at !== index) }, "files")}
          />
        </div>
      ))}
      <FileInput
        id="add-file"
        label="Add a file"
        filename=""
        isInvalid={false}
        onFile={async (chosen) => {
          const file = await read(chosen, `/home/krkn/${chosen.name}`);
          update({ files: [...files, file] }, "files");
        }}
        onClear={() => undefined}
      />
      {error && <p className="krkn-wrong krkn-wrap">{error}</p>}
    </fieldset>
  );
}
