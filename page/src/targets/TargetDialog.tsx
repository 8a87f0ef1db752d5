import {
  Alert,
  Button,
  Modal,
  ModalBody,
  ModalFooter,
  ModalHeader,
  Title,
} from "@patternfly/react-core";
import { useState } from "react";
import { Link } from "react-router";
import { AllowedButton } from "../access/AllowedButton";
import type { JobOutline } from "../api/live";
import type { Target } from "../api/types";
import { ErrorState } from "../ui/ErrorState";
import { Facts, pairs } from "../ui/Facts";
import { Ago } from "../ui/Time";
import { DeleteDialog } from "./DeleteDialog";
import { LastJobsList } from "./Dots";
import { EditDialog } from "./EditDialog";
import { Readiness } from "./Readiness";
import { checkTarget } from "./targetCalls";

interface Props {
  /** Undefined when it is not there, or not any more. */
  readonly target: Target | undefined;
  readonly jobs: readonly JobOutline[];
  readonly onClose: () => void;
}

type Asked = "edit" | "delete" | undefined;

/** A target's details, live, and what may be done with it. */
export function TargetDialog({ target, jobs, onClose }: Props) {
  const [asked, setAsked] = useState<Asked>();
  const title = target?.clusterName ?? "No such target";
  if (target && asked === "edit") {
    return <EditDialog target={target} onClose={() => setAsked(undefined)} />;
  }
  if (target && asked === "delete") {
    return <DeleteDialog target={target} onDone={onClose} onClose={() => setAsked(undefined)} />;
  }
  return (
    <Modal isOpen variant="medium" onClose={onClose} aria-label={title}>
      <ModalHeader title={title} />
      <ModalBody tabIndex={0}>
        {target ? (
          <Details target={target} jobs={jobs} />
        ) : (
          <p>It was deleted, or the address is not right.</p>
        )}
      </ModalBody>
      <ModalFooter>
        {target && <Check target={target} />}
        {target && <Ask verb="update" title="Edit…" onClick={() => setAsked("edit")} />}
        {target && <Ask verb="delete" title="Delete…" onClick={() => setAsked("delete")} />}
        <Button variant="link" onClick={onClose}>
          Close
        </Button>
      </ModalFooter>
    </Modal>
  );
}

function Details({
  target,
  jobs,
}: {
  readonly target: Target;
  readonly jobs: readonly JobOutline[];
}) {
  const { maxConcurrentJobs } = target;
  return (
    <>
      {!target.ready && target.message && (
        <Alert
          isInline
          variant="warning"
          component="p"
          title={target.reason}
          className="krkn-above"
        >
          {target.message}
        </Alert>
      )}
      <Facts
        isWide
        facts={{
          State: <Readiness target={target} />,
          "Ready since": target.readySince && <Ago time={target.readySince} />,
          Checked: <Ago time={target.lastChecked} />,
          Registered: <Ago time={target.createdAt} />,
          Address: target.clusterAPIURL,
          "Server version": target.serverVersion,
          Credential: target.secretType,
          "Jobs at once":
            maxConcurrentJobs === undefined ? "the service's default" : maxConcurrentJobs || "any",
          Provider: target.provider,
          Labels: pairs(target.labels),
          UUID: <code>{target.uuid}</code>,
        }}
      />
      <Title headingLevel="h2" size="md" className="krkn-above">
        Last jobs
      </Title>
      <LastJobsList jobs={jobs} />
      <p className="krkn-below">
        <Link to={`/runs?cluster=${encodeURIComponent(target.clusterName)}`}>Its runs</Link>
      </p>
    </>
  );
}

/** Asks for a check, and waits until the watch shows that there was one. */
function Check({ target }: { readonly target: Target }) {
  const [before, setBefore] = useState<string | undefined>();
  const [error, setError] = useState<unknown>();
  const isChecking = before !== undefined && before === (target.lastChecked ?? "");
  const check = async () => {
    setError(undefined);
    setBefore(target.lastChecked ?? "");
    try {
      await checkTarget(target.uuid);
    } catch (failure) {
      setBefore(undefined);
      setError(failure);
    }
  };
  return (
    <>
      <AllowedButton
        verb="update"
        resource="krknoperatortargets"
        variant="secondary"
        isLoading={isChecking}
        isAriaDisabled={isChecking}
        onClick={() => void check()}
      >
        {isChecking ? "Checking" : "Check now"}
      </AllowedButton>
      {error !== undefined && <ErrorState title="It is not checked" error={error} />}
    </>
  );
}

interface AskProps {
  readonly verb: "update" | "delete";
  readonly title: string;
  readonly onClick: () => void;
}

function Ask({ verb, title, onClick }: AskProps) {
  return (
    <AllowedButton
      verb={verb}
      resource="krknoperatortargets"
      variant="secondary"
      isDanger={verb === "delete"}
      onClick={onClick}
    >
      {title}
    </AllowedButton>
  );
}
