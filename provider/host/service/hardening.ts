import type { Service } from "./declaration";
import { quotePath } from "./unit-words";

/** What every service of Sluice is not allowed to do, as settings of its unit: systemd.exec(5). */
export const renderHardening = ({ writable, reads }: Pick<Service, "writable" | "reads">): string => `UMask=0027
ProtectSystem=strict
ReadWritePaths=${writable.map(quotePath).join(" ")}
${reads.some(isBelow("/home", "/root", "/run/user")) ? "" : "ProtectHome=yes\n"}${reads.some(isBelow("/tmp", "/var/tmp")) ? "" : "PrivateTmp=yes\n"}PrivateDevices=yes
NoNewPrivileges=yes
CapabilityBoundingSet=
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectClock=yes
ProtectHostname=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
`;

const isBelow =
  (...parents: readonly string[]) =>
  (path: string): boolean =>
    parents.some((parent) => path === parent || path.startsWith(`${parent}/`));
