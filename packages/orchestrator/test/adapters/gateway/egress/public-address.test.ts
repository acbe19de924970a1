import { expect, test } from "vitest";
import { isPublicAddress } from "../../../../src/adapters/gateway/egress/public-address.ts";

test.each([
  "1.1.1.1",
  "93.184.215.14",
  "172.32.0.1",
  "2606:4700::1111",
  "2a00:1450:4001:82a::200e",
])("%s is public", (address) => {
  expect(isPublicAddress(address)).toBe(true);
});

test.each([
  ["this host", "0.0.0.0"],
  ["this network", "0.1.2.3"],
  ["loopback", "127.0.0.1"],
  ["loopback further on", "127.99.0.1"],
  ["private", "10.1.2.3"],
  ["private", "172.16.0.1"],
  ["private", "172.31.255.255"],
  ["private", "192.168.0.1"],
  ["metadata of a cloud", "169.254.169.254"],
  ["another cloud's", "100.100.100.200"],
  ["a third one's", "fd00:ec2::254"],
  ["carrier-grade NAT", "100.64.0.1"],
  ["multicast", "224.0.0.1"],
  ["multicast", "239.255.255.250"],
  ["broadcast", "255.255.255.255"],
  ["reserved", "240.0.0.1"],
  ["for documentation", "192.0.2.1"],
  ["for documentation", "198.51.100.1"],
  ["for protocols", "192.0.0.8"],
  ["for benchmarks", "198.18.0.1"],
  ["unspecified", "::"],
  ["loopback", "::1"],
  ["link-local", "fe80::1"],
  ["link-local with a zone", "fe80::1%eth0"],
  ["unique local", "fc00::1"],
  ["site-local", "fec0::1"],
  ["multicast", "ff02::1"],
  ["IPv4 in IPv6", "::ffff:127.0.0.1"],
  ["IPv4 in IPv6, public", "::ffff:1.1.1.1"],
  ["IPv4 in IPv6, the old way", "::127.0.0.1"],
  ["NAT64", "64:ff9b::a9fe:a9fe"],
  ["NAT64 of a network's own", "64:ff9b:1::a9fe:a9fe"],
  ["6to4", "2002:7f00:1::"],
  ["Teredo", "2001::1"],
  ["for documentation", "2001:db8::1"],
  ["not given out", "4000::1"],
  ["no address", "example.org"],
  ["nothing", ""],
])("%s is not: %s", (_what, address) => {
  expect(isPublicAddress(address)).toBe(false);
});

test("what a test lets through is let through, and nothing beside it", () => {
  expect(isPublicAddress("127.0.0.5", ["127.0.0.5/32"])).toBe(true);
  expect(isPublicAddress("127.0.0.6", ["127.0.0.5/32"])).toBe(false);
  expect(isPublicAddress("::1", ["127.0.0.0/8"])).toBe(false);
});
