import {
  MenuSearch,
  MenuSearchInput,
  MenuToggle,
  SearchInput,
  Select,
  SelectList,
  SelectOption,
} from "@patternfly/react-core";
import { useMemo, useState } from "react";
import type { Job } from "../api/types";
import { passes } from "../run/jobs";
import { Status } from "../ui/Status";

interface Props {
  /** All jobs, in the order that they are offered in. */
  readonly jobs: readonly Job[];
  readonly chosen: readonly string[];
  readonly most: number;
  readonly onChoose: (jobIds: readonly string[]) => void;
}

const OFFERED = 50;
const ALL = "all";

/** Chooses jobs whose logs are shown, of any number: those that pass what is typed. */
export function JobPicker({ jobs, chosen, most, onChoose }: Props) {
  const [isOpen, setOpen] = useState(false);
  const [text, setText] = useState("");
  const found = useMemo(
    () => jobs.filter((job) => passes(job, { state: "", reason: "", text })),
    [jobs, text],
  );
  const title = chosen.length === 0 ? "All jobs" : `${chosen.length} of ${jobs.length} jobs`;
  const toggle = (jobId: string) => {
    if (jobId === ALL) return onChoose([]);
    const others = chosen.filter((each) => each !== jobId);
    onChoose(others.length < chosen.length ? others : [...chosen, jobId].slice(-most));
  };
  return (
    <Select
      role="menu"
      isOpen={isOpen}
      onOpenChange={setOpen}
      onSelect={(_, value) => toggle(String(value))}
      isScrollable
      toggle={(ref) => (
        <MenuToggle ref={ref} isExpanded={isOpen} onClick={() => setOpen(!isOpen)}>
          {title}
        </MenuToggle>
      )}
    >
      <MenuSearch>
        <MenuSearchInput>
          <SearchInput
            aria-label="Find a cluster"
            placeholder="Cluster"
            value={text}
            onChange={(_, next) => setText(next)}
            onClear={() => setText("")}
          />
        </MenuSearchInput>
      </MenuSearch>
      <SelectList>
        <SelectOption key={ALL} value={ALL} isSelected={chosen.length === 0}>
          All jobs, in one log
        </SelectOption>
        {found.slice(0, OFFERED).map((job) => (
          <SelectOption
            key={job.jobId}
            value={job.jobId}
            hasCheckbox
            isSelected={chosen.includes(job.jobId)}
          >
            {job.clusterName} <Status status={job.status} />
          </SelectOption>
        ))}
        {found.length > OFFERED && (
          <SelectOption isDisabled key="more" value="more">
            {found.length - OFFERED} more: type to find them
          </SelectOption>
        )}
      </SelectList>
    </Select>
  );
}
