/** Buttons, fields and dialogs. */
import {
  type ButtonHTMLAttributes,
  type InputHTMLAttributes,
  type ReactNode,
  type SelectHTMLAttributes,
  type SyntheticEvent,
  type TextareaHTMLAttributes,
  useEffect,
  useId,
  useRef,
  useState,
} from "react";

const looks = {
  plain: "border border-line-strong/70 bg-surface text-text hover:bg-hover",
  quiet: "text-soft hover:bg-hover hover:text-text",
  primary: "bg-accent-fill text-on-accent hover:brightness-110",
  danger: "border border-failed/50 text-failed hover:bg-failed/10",
} as const;

interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  readonly look?: keyof typeof looks;
  /** A key that does the same. */
  readonly shortcut?: string;
}

export function Button({ look = "plain", shortcut, className = "", children, ...rest }: ButtonProps) {
  return (
    <button
      type="button"
      {...rest}
      className={`inline-flex h-7 items-center gap-1.5 rounded-md px-2.5 font-medium whitespace-nowrap transition-colors disabled:cursor-not-allowed disabled:opacity-50 max-md:h-9 ${looks[look]} ${className}`}
    >
      {children}
      {shortcut === undefined ? null : <Kbd>{shortcut}</Kbd>}
    </button>
  );
}

export function Kbd({ children }: { readonly children: ReactNode }) {
  return (
    <kbd className="rounded border border-line-strong/70 bg-raised px-1 font-sans text-2xs leading-4 text-muted">
      {children}
    </kbd>
  );
}

interface SegmentsProps<Value> {
  readonly label: string;
  readonly values: readonly (readonly [value: Value, text: string])[];
  readonly chosen: Value;
  readonly onChoose: (value: Value) => void;
}

/** A row of buttons of which one is chosen. */
export function Segments<Value extends string | number>({ label, values, chosen, onChoose }: SegmentsProps<Value>) {
  return (
    <div role="group" aria-label={label} className="flex flex-wrap rounded-md border border-line p-0.5">
      {values.map(([value, text]) => (
        <button
          key={value}
          type="button"
          aria-pressed={value === chosen}
          onClick={() => onChoose(value)}
          className="h-6 rounded px-2 text-xs font-medium text-muted aria-pressed:bg-accent-wash aria-pressed:text-accent"
        >
          {text}
        </button>
      ))}
    </div>
  );
}

const fieldLook =
  "h-7 rounded-md border border-line-strong/70 bg-surface px-2 text-text placeholder:text-muted placeholder:italic hover:border-line-strong aria-invalid:border-failed max-md:h-9 max-md:text-base";

export function Field(props: InputHTMLAttributes<HTMLInputElement>) {
  return <input {...props} className={`${fieldLook} ${props.className ?? ""}`} />;
}

export function Select(props: SelectHTMLAttributes<HTMLSelectElement>) {
  return <select {...props} className={`${fieldLook} pr-1 ${props.className ?? ""}`} />;
}

/** What the field of a label tells those who cannot see what stands below it. */
export type FieldMarks = Pick<InputHTMLAttributes<HTMLElement>, "aria-describedby" | "aria-invalid">;

interface LabelledProps {
  readonly label: string;
  readonly hint?: ReactNode;
  /** What is wrong with what stands in the field where its browser cannot tell; left out if nothing is. Said when the form is sent. */
  readonly mistake?: string | undefined;
  readonly children: (id: string, marks: FieldMarks) => ReactNode;
}

const fields = "input, select, textarea";
type AnyField = HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement;

/** Why its browser sends no form with what stands in a field. */
function refusalOf({ validity, validationMessage }: AnyField): string {
  return validity.valueMissing && !validity.badInput ? "A value is needed here." : validationMessage;
}

/** What the browser would say in a bubble, about one field at a time, stands below each field. */
export function Labelled({ label, hint, mistake = "", children }: LabelledProps) {
  const id = useId();
  const box = useRef<HTMLDivElement>(null);
  const [problem, setProblem] = useState<string>();
  // The field may be another one now.
  useEffect(() => box.current?.querySelector<AnyField>(fields)?.setCustomValidity(mistake));
  const refuse = (event: SyntheticEvent) => {
    event.preventDefault();
    const field = event.target as AnyField;
    setProblem(refusalOf(field));
    if (field.form?.querySelector(`:is(${fields}):invalid`) === field) field.focus();
  };
  const below = [problem === undefined ? [] : `${id}-problem`, hint === undefined ? [] : `${id}-hint`].flat();
  const described = below.length === 0 ? {} : { "aria-describedby": below.join(" ") };
  return (
    <div ref={box} className="grid grid-cols-1 gap-1" onInvalidCapture={refuse} onChange={() => setProblem(undefined)}>
      <label htmlFor={id} className="font-medium text-soft">
        {label}
      </label>
      {children(id, { ...described, ...(problem === undefined ? {} : { "aria-invalid": true }) })}
      {problem === undefined ? null : (
        <p id={`${id}-problem`} className="text-xs font-medium text-failed">
          {problem}
        </p>
      )}
      {hint === undefined ? null : (
        <p id={`${id}-hint`} className="text-xs text-muted">
          {hint}
        </p>
      )}
    </div>
  );
}

interface TextFieldProps extends Omit<InputHTMLAttributes<HTMLInputElement>, "id" | "onChange"> {
  readonly label: string;
  readonly hint?: ReactNode;
  readonly mistake?: string | undefined;
  readonly onText: (text: string) => void;
}

export function TextField({ label, hint, mistake, onText, ...rest }: TextFieldProps) {
  return (
    <Labelled label={label} hint={hint} mistake={mistake}>
      {(id, marks) => <Field id={id} {...marks} {...rest} onChange={(event) => onText(event.target.value)} />}
    </Labelled>
  );
}

interface TextBoxProps extends Omit<TextareaHTMLAttributes<HTMLTextAreaElement>, "id" | "onChange"> {
  readonly label: string;
  readonly hint?: ReactNode;
  readonly mistake?: string | undefined;
  readonly onText: (text: string) => void;
}

/** Several lines of text for programs. */
export function TextBox({ label, hint, mistake, onText, ...rest }: TextBoxProps) {
  return (
    <Labelled label={label} hint={hint} mistake={mistake}>
      {(id, marks) => (
        <textarea
          id={id}
          {...marks}
          spellCheck={false}
          {...rest}
          className="rounded-md border border-line-strong/70 bg-surface px-2 py-1 font-mono text-xs placeholder:text-muted placeholder:italic aria-invalid:border-failed max-md:text-base"
          onChange={(event) => onText(event.target.value)}
        />
      )}
    </Labelled>
  );
}

interface DialogProps {
  readonly title: string;
  readonly onClose: () => void;
  readonly children: ReactNode;
  readonly isWide?: boolean;
  /** True for one that only a button in it closes: neither Escape nor a click beside it does. */
  readonly isFirm?: boolean;
}

/** The browser's own dialog: it holds the focus, closes with Escape and gives the focus back. */
export function Dialog({ title, onClose, children, isWide = false, isFirm = false }: DialogProps) {
  const ref = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  useEffect(() => {
    ref.current?.showModal();
  }, []);
  return (
    <dialog
      ref={ref}
      aria-labelledby={titleId}
      // Browsers let nobody refuse Escape for ever: what they have closed is opened again.
      onClose={() => (isFirm ? ref.current?.showModal() : onClose())}
      onCancel={(event) => isFirm && event.preventDefault()}
      onClick={(event) => {
        if (event.target === ref.current && !isFirm) ref.current.close();
      }}
      className={`card w-[min(94vw,30rem)] p-0 shadow-[0_16px_48px_var(--shadow)] ${isWide ? "w-[min(94vw,46rem)]" : ""}`}
    >
      <div className="flex items-center justify-between border-b border-line px-4 py-3">
        <h2 id={titleId} className="min-w-0 text-sm font-semibold break-words">
          {title}
        </h2>
        {isFirm ? null : (
          <button
            type="button"
            aria-label="Close"
            onClick={() => ref.current?.close()}
            className="grid size-7 place-items-center rounded-md text-muted hover:bg-hover"
          >
            ✕
          </button>
        )}
      </div>
      <div className="max-h-[min(82vh,calc(100vh-7rem))] overflow-auto p-4 break-words">{children}</div>
    </dialog>
  );
}
