-- Roles and a schema for an API, made by "fastgrest init". Run it as a superuser
-- in the database of the API, for example: psql -v ON_ERROR_STOP=1 -d app -f roles.sql
-- It creates everything or nothing. If a role or the schema exists already, choose other
-- names with the flags of "fastgrest init".

BEGIN;

-- The server connects as this role. It has no privileges. It can only switch to the roles below.
-- {password-note}
CREATE ROLE {authenticator} LOGIN NOINHERIT NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS{password};

-- Requests without a token run as the first role. A token with {"role": {user-role-json}} selects the second.
CREATE ROLE {anon-role} NOLOGIN;
CREATE ROLE {user-role} NOLOGIN;
GRANT {anon-role}, {user-role} TO {authenticator};

-- A request may not keep a connection busy for longer.
ALTER ROLE {anon-role} SET statement_timeout = '5s';
ALTER ROLE {user-role} SET statement_timeout = '15s';

-- Tables, views and functions in this schema are the API, as far as they are granted.
CREATE SCHEMA {schema};
GRANT USAGE ON SCHEMA {schema} TO {anon-role}, {user-role};

-- PostgreSQL lets every role call new functions. This changes it for functions that the current role makes
-- in this database from now on: GRANT EXECUTE says who may call them.
ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;

COMMIT;

-- An example: everybody reads, and users change what is theirs. Remove the two dashes of each line to make it.
--
-- CREATE TABLE {schema}.note (
--   id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
--   owner text NOT NULL DEFAULT current_setting('request.jwt.claims', true)::json ->> 'sub',
--   body text NOT NULL
-- );
-- ALTER TABLE {schema}.note ENABLE ROW LEVEL SECURITY;
-- CREATE POLICY everyone_reads ON {schema}.note FOR SELECT TO {anon-role}, {user-role} USING (true);
-- CREATE POLICY own ON {schema}.note TO {user-role}
--   USING (owner = (SELECT current_setting('request.jwt.claims', true)::json ->> 'sub'));
-- GRANT SELECT ON {schema}.note TO {anon-role};
-- GRANT SELECT, INSERT, UPDATE, DELETE ON {schema}.note TO {user-role};

-- The server reloads its schema cache after NOTIFY pgrst. A superuser can have PostgreSQL send it after each change.
--
-- CREATE SCHEMA IF NOT EXISTS internal;
-- CREATE FUNCTION internal.notify_fastgrest() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN NOTIFY pgrst; END $$;
-- CREATE EVENT TRIGGER notify_fastgrest ON ddl_command_end EXECUTE FUNCTION internal.notify_fastgrest();
