/**
 * The server's settings, given on its command line at every start so that a newer version of this
 * package changes them for data made by an older one. Durable: fsync stays on, this database holds
 * the truth.
 */
export function serverArguments(data: string, socketFolder: string): string[] {
  const settings: Record<string, string> = {
    // Reachable through a socket in a private folder only.
    listen_addresses: "",
    unix_socket_directories: socketFolder,
    unix_socket_permissions: "0700",
    port: String(serverPort),
    cluster_name: "speckit",
    // Several commands and a worker, each with a pool.
    max_connections: "60",
    // Small: megabytes of rows, one machine, no replicas.
    shared_buffers: "24MB",
    max_wal_size: "256MB",
    min_wal_size: "32MB",
    wal_level: "minimal",
    max_wal_senders: "0",
    max_logical_replication_workers: "0",
    // Files in the data folder. POSIX shared memory is removed below a running server when its user
    // logs out (systemd's RemoveIPC), and is missing or small in a chroot or a container.
    dynamic_shared_memory_type: "mmap",
    // Reads happen in the backend itself; the default keeps three more processes.
    io_method: "sync",
    timezone: "UTC",
    log_timezone: "UTC",
    // Starts, stops and crashes. What a client did wrong is told to that client, with values that
    // have no place in a file.
    log_min_messages: "log",
    log_checkpoints: "off",
  };
  const args = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  return ["-D", data, ...args];
}

/** Names the socket file; no TCP port is opened. */
export const serverPort = 5432;

/** How initdb makes a new data folder. */
export function initdbArguments(data: string): string[] {
  return [
    "--pgdata",
    data,
    "--username=postgres",
    // Who can open the private folder may connect; there is no password to keep or to lose.
    "--auth=trust",
    "--encoding=UTF8",
    "--locale=C",
    "--no-instructions",
  ];
}
