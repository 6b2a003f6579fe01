"""src/intel_ml/judgement"""
