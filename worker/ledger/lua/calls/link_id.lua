--! include common identity
-- What a webhook with both tells. KEYS[1] prefix; ARGV 1 the id's hash, 2 the number's hash.
link_id(ARGV[1], ARGV[2])
return 1
