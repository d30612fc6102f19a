"""What agents send, verified and put into the registry: by MQTT, by HTTP, or from a file.

    terms       a message as it came, what became of it, what is known of an agent                 pure
    checks      bytes to what the contract says they are, or why not; what consent lets be kept    pure
    rows        a daily record to machine-days                                                     pure
    chain       whether a record fits its neighbours; which numbers are missing                    pure
    questions   what the owner is asked, once; his answer to a new key                             I/O
    manifests   first contact, changed keys, who signs, consent as a history                       I/O
    agents      what is known of agents                                                           I/O
    filing      a batch of messages in one transaction                                             I/O
    tips        how far each chain is whole                                                        I/O
    seldom      how often a line of the log may repeat
    intake      the one way in, for the broker's messages and for whatever is handed in            I/O
    handed      files and bodies of requests: which message is it?                                 pure
    repair      missed days by `day.get`, seldom enough for the agent                              I/O
    fits        fit tests that stand in the book, put to agents                                   I/O
    watch       who has fallen silent; consent that was taken back                                 I/O
    link        the connection to the broker                                                       I/O
    worker      one process: threads, batches, acknowledgements                                    I/O

A message is acknowledged when what it says is committed, not before; whatever comes twice is there already. So a
worker may be killed at any moment, and several share the records of all factories without speaking to each other.

What cannot be believed (a factory that nobody has registered, a key that the owner has not confirmed, a record that
continues no chain) is not stored and not lost: the agent keeps its records for years, its manifest is retained, and
`day.get` brings them as soon as the question is answered. So nothing doubtful ever waits in our tables.

Under DESIGN 10 nothing is kept that the manifest's consent does not name.
"""
