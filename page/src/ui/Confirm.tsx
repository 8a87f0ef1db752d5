import { Button, Modal, ModalBody, ModalFooter, ModalHeader } from "@patternfly/react-core";
import { useState, type ReactNode } from "react";
import { ErrorState } from "./ErrorState";

interface Props {
  readonly title: string;
  /** The words on the button that does it, such as `Stop 204 jobs`. */
  readonly action: string;
  readonly children?: ReactNode;
  readonly isDanger?: boolean;
  readonly isDisabled?: boolean;
  /** Does it; what it raises is shown, and the question stays. */
  readonly onConfirm: () => Promise<void>;
  readonly onClose: () => void;
}

/** A question before a write. */
export function Confirm(props: Props) {
  const { title, action, children, isDanger, isDisabled, onConfirm, onClose } = props;
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const confirm = async () => {
    setBusy(true);
    try {
      await onConfirm();
      onClose();
    } catch (failure) {
      setError(failure);
      setBusy(false);
    }
  };
  return (
    <Modal isOpen variant="small" onClose={onClose} aria-label={title}>
      <ModalHeader title={title} titleIconVariant={isDanger ? "warning" : undefined} />
      <ModalBody>
        {children}
        {error !== undefined && <ErrorState title="That did not work" error={error} />}
      </ModalBody>
      <ModalFooter>
        <Button
          variant={isDanger ? "danger" : "primary"}
          isLoading={isBusy}
          isDisabled={isBusy || isDisabled}
          onClick={() => void confirm()}
        >
          {action}
        </Button>
        <Button variant="link" onClick={onClose}>
          Cancel
        </Button>
      </ModalFooter>
    </Modal>
  );
}
