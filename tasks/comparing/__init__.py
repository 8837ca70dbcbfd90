"""What an evaluation is compared with: other models, and classical statistics."""
