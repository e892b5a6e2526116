import type { Urn } from "../room";

/** `urn:pulumi:STACK::PROJECT::TYPE::NAME`; the name may itself hold `::`. */
export function parseUrn(text: string): Urn {
  const [stackPart = "", project = "", , ...name] = text.split("::");
  return { text, stack: stackPart.replace(/^urn:pulumi:/, ""), project, name: name.join("::") };
}

/** What marks on hosts and in servers carry: `project/stack/name`. A changed parent leaves it as it is. */
export const nameInMarks = (urn: Urn): string => `${urn.project}/${urn.stack}/${urn.name}`;
