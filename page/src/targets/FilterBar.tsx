import { SearchInput, TextInput, ToggleGroup, ToggleGroupItem } from "@patternfly/react-core";
import { useState } from "react";
import type { Filters } from "./filters";

interface Props {
  readonly filters: Filters;
  /** Why the service does not take the labels. */
  readonly labelsError: string | undefined;
  readonly onChange: (changes: Partial<Filters>) => void;
}

const STATES = { "": "All", true: "Ready", false: "Not ready" };

/** Filters by name, labels and readiness; they stand in the address. */
export function FilterBar({ filters, labelsError, onChange }: Props) {
  const [labels, setLabels] = useState(filters.labels);
  return (
    <search className="krkn-filter-bar">
      <SearchInput
        className="krkn-filter-text"
        aria-label="Name of the cluster"
        placeholder="Name, or eu-*"
        value={filters.name}
        onChange={(_, name) => onChange({ name })}
        onClear={() => onChange({ name: "" })}
      />
      <form
        className="krkn-filter-text"
        onSubmit={(event) => {
          event.preventDefault();
          onChange({ labels: labels.trim() });
        }}
      >
        <TextInput
          aria-label="Labels, as kubectl -l"
          placeholder="Labels: env=prod,tier!=test"
          autoComplete="off"
          value={labels}
          validated={labelsError ? "error" : "default"}
          aria-invalid={Boolean(labelsError)}
          aria-describedby="labels-wrong"
          onChange={(_, text) => setLabels(text)}
          onBlur={() => onChange({ labels: labels.trim() })}
        />
      </form>
      <ToggleGroup aria-label="State">
        {Object.entries(STATES).map(([ready, title]) => (
          <ToggleGroupItem
            key={ready}
            text={title}
            buttonId={`ready-${ready || "all"}`}
            isSelected={filters.ready === ready}
            onChange={() => onChange({ ready })}
          />
        ))}
      </ToggleGroup>
      <p id="labels-wrong" role="alert" className="krkn-filter-wrong">
        {labelsError}
      </p>
    </search>
  );
}
