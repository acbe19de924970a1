/** Every table of ours as the database knows it, sorted by name. */
export async function readCatalog(client) {
  const { rows: tables } = await client.query(`
    SELECT oid, relname AS name, obj_description(oid, 'pg_class') AS comment
    FROM pg_class
    WHERE relkind IN ('r', 'p') AND relname LIKE 'spec\\_workflow\\_%' AND pg_table_is_visible(oid)
    ORDER BY relname COLLATE "C"`);
  for (const table of tables) {
    for (const [part, sql] of Object.entries(parts)) {
      table[part] = (await client.query(sql, [table.oid])).rows;
    }
  }
  return tables;
}

const parts = {
  columns: `
    SELECT attname AS name, format_type(atttypid, atttypmod) AS type, attnotnull AS required,
      attgenerated <> '' AS generated, attidentity <> '' AS numbered,
      pg_get_expr(adbin, adrelid) AS value, col_description(attrelid, attnum) AS comment
    FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
    WHERE attrelid = $1 AND attnum > 0 AND NOT attisdropped ORDER BY attnum`,
  // From PostgreSQL 18 on NOT NULL is a constraint too: the columns tell that.
  constraints: `
    SELECT contype AS kind, pg_get_constraintdef(oid, true) AS definition
    FROM pg_constraint WHERE conrelid = $1 AND contype IN ('p', 'u', 'c', 'f')
    ORDER BY position(contype IN 'pufc'), pg_get_constraintdef(oid) COLLATE "C"`,
  indexes: `
    SELECT pg_get_indexdef(indexrelid) AS definition,
      obj_description(indexrelid, 'pg_class') AS comment
    FROM pg_index
    WHERE indrelid = $1 AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid AND conrelid = $1)
    ORDER BY pg_get_indexdef(indexrelid) COLLATE "C"`,
  triggers: `
    SELECT pg_get_triggerdef(oid, true) AS definition, obj_description(oid, 'pg_trigger') AS comment
    FROM pg_trigger WHERE tgrelid = $1 AND NOT tgisinternal ORDER BY tgname COLLATE "C"`,
};
