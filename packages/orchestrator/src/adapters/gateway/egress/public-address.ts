import ipaddr from "ipaddr.js";

/** Ranges that a test lets through, in CIDR notation: its targets are on this machine. */
export type AllowedRanges = readonly string[];

/**
 * Whether an address is one of the public internet's. Everything with a use of its own is not: private,
 * loopback, link-local (where clouds keep their metadata), carrier-grade NAT, multicast, unspecified,
 * reserved; and whatever carries an IPv4 address inside (mapped, NAT64, 6to4, Teredo), since a
 * translator on the way would go there.
 */
export function isPublicAddress(text: string, allowedRanges: AllowedRanges = []): boolean {
  if (!ipaddr.isValid(text) || text.includes("%")) {
    return false;
  }
  const address = ipaddr.parse(text);
  const isExcepted = allowedRanges.some((range) => {
    const [base, bits] = ipaddr.parseCIDR(range);
    return base.kind() === address.kind() && address.match([base, bits] as never);
  });
  return isExcepted || (address.range() === "unicast" && !isUnallotted(address));
}

const GLOBAL_UNICAST = ipaddr.parseCIDR("2000::/3") as [ipaddr.IPv6, number];
/** NAT64 as a network may set it up for itself (RFC 8215); the library knows the well-known one. */
const LOCAL_NAT64 = ipaddr.parseCIDR("64:ff9b:1::/48") as [ipaddr.IPv6, number];

/** Of IPv6 only one eighth is given out: the rest leads nowhere, or somewhere in the house. */
function isUnallotted(address: ipaddr.IPv4 | ipaddr.IPv6): boolean {
  return (
    address instanceof ipaddr.IPv6 && (!address.match(GLOBAL_UNICAST) || address.match(LOCAL_NAT64))
  );
}
