/** Ports that database servers listen on unless told otherwise. Ports that web servers use as well are left out. */
const databasePorts: ReadonlyMap<number, string> = new Map([
  [1433, 'SQL Server'],
  [1521, 'Oracle'],
  [3306, 'MySQL'],
  [5432, 'PostgreSQL'],
  [5984, 'CouchDB'],
  [6379, 'Redis'],
  [7687, 'Neo4j'],
  [8529, 'ArangoDB'],
  [9042, 'Cassandra'],
  [9200, 'Elasticsearch'],
  [11211, 'memcached'],
  [26257, 'CockroachDB'],
  [27017, 'MongoDB'],
  [28015, 'RethinkDB'],
  [33060, 'MySQL X'],
]);

/** A port that is reached from inside and through `nexus workspace port`, and not mapped on the host unless asked for. */
export function isDatabasePort(port: number): boolean {
  return databasePorts.has(port);
}
