-- One row: the server's version as a number, as a word, and in full.
select current_setting('server_version_num'), current_setting('server_version'), version()
