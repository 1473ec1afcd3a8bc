"""What passes between a terminal and the central: messages, topics, chain and seal."""
